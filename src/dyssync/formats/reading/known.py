"""The formats there are. A new one is a module or package of `dyssync.formats` and a line here.

Other packages add theirs through the entry point group ``dyssync.formats``.
"""

from __future__ import annotations

from dyssync.formats.reading.recording import Format
from dyssync.registry import Registry

# In order of sniffing: formats with an unmistakable start first, text last.
FORMATS: Registry[Format] = Registry(
    "format",
    {
        "wfdb": "dyssync.formats.wfdb:FORMAT",
        "dicom": "dyssync.formats.dicom:FORMAT",
        "muse-xml": "dyssync.formats.muse_xml:FORMAT",
        "sierra-xml": "dyssync.formats.sierra_xml:FORMAT",
        "hl7-aecg": "dyssync.formats.hl7_aecg:FORMAT",
        "schiller-xml": "dyssync.formats.schiller_xml:FORMAT",
        "scp-ecg": "dyssync.formats.scp_ecg:FORMAT",
        "edf": "dyssync.formats.edf:FORMAT",
        "ishne": "dyssync.formats.ishne:FORMAT",
        "parquet": "dyssync.formats.parquet:FORMAT",
        "hdf5": "dyssync.formats.hdf5:FORMAT",
        "matlab": "dyssync.formats.matlab:FORMAT",
        "numpy": "dyssync.formats.numpy:FORMAT",
        "picture": "dyssync.formats.picture:FORMAT",
        "pdf": "dyssync.formats.pdf:FORMAT",
        "csv": "dyssync.formats.csv:FORMAT",
    },
)
