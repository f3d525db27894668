"""Write an ECG as a DICOM waveform object.

References:
    DICOM PS3.3 A.34.3 (12-lead ECG: 12 or 13 channels, 200-1000 Hz, up to 16384 samples), A.34.4
    (general ECG) and A.34.4.5 (general 32-bit ECG); PS3.16 CID 3001.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from dyssync.ecg import ECG, LEADS
from dyssync.whole import whole_file

if TYPE_CHECKING:
    from pydicom import Dataset

_TWELVE_LEAD = "1.2.840.10008.5.1.4.1.1.9.1.1"
_GENERAL = "1.2.840.10008.5.1.4.1.1.9.1.2"
_GENERAL_32_BIT = "1.2.840.10008.5.1.4.1.1.9.1.4"
LARGEST_16 = 32767  # steps that 16 bits hold
_EXPLICIT_LITTLE_ENDIAN = "1.2.840.10008.1.2.1"
_MDC_NUMBERS = (1, 2, 61, 62, 63, 64, 3, 4, 5, 6, 7, 8)  # of LEADS, "2:1" is lead I


def write_dicom(ecg: ECG, folder: Path | str, name: str) -> Path:
    """Write `name`.dcm without identifiers; return its path.

    Steps are 1 uV, in 32 bits where a sample is beyond 32.767 mV. UIDs follow from the samples, so
    that the same ECG gives the same file.
    """
    import pydicom
    from pydicom.uid import generate_uid

    steps = np.rint(ecg.signal.T.astype(np.float64) * 1e3)  # (n, 12), uV
    wide = bool(np.abs(steps).max() > LARGEST_16)
    digital = steps.astype("<i4" if wide else "<i2")
    short = 200 <= ecg.fs <= 1000 and len(digital) <= 16384
    sop_class = _GENERAL_32_BIT if wide else _TWELVE_LEAD if short else _GENERAL
    seeds = [digital.tobytes().hex()[:4096], repr(ecg.fs), ecg.source.sha256]
    meta = pydicom.dataset.FileMetaDataset()
    meta.TransferSyntaxUID = pydicom.uid.UID(_EXPLICIT_LITTLE_ENDIAN)
    meta.MediaStorageSOPClassUID = pydicom.uid.UID(sop_class)
    meta.MediaStorageSOPInstanceUID = generate_uid(entropy_srcs=[*seeds, "instance"])
    dataset = pydicom.Dataset()
    dataset.file_meta = meta
    dataset.SOPClassUID = meta.MediaStorageSOPClassUID
    dataset.SOPInstanceUID = meta.MediaStorageSOPInstanceUID
    dataset.StudyInstanceUID = generate_uid(entropy_srcs=[*seeds, "study"])
    dataset.SeriesInstanceUID = generate_uid(entropy_srcs=[*seeds, "series"])
    _describe(dataset, ecg)
    dataset.WaveformSequence = [_group(ecg, digital)]
    path = Path(folder) / f"{name}.dcm"
    with whole_file(path) as part:
        dataset.save_as(part, enforce_file_format=True)
    return path


def _describe(dataset: Dataset, ecg: ECG) -> None:
    """Fill patient, study and acquisition with what is no identifier."""
    dataset.Modality = "ECG"
    dataset.PatientName = ""
    dataset.PatientID = ""
    dataset.PatientBirthDate = ""
    dataset.PatientSex = ecg.sex or ""
    if ecg.age is not None:
        dataset.PatientAge = f"{int(ecg.age):03d}Y"
    moment = ecg.recorded_at
    dataset.StudyDate = f"{moment:%Y%m%d}" if moment else ""
    dataset.StudyTime = f"{moment:%H%M%S}" if moment else ""
    dataset.AcquisitionDateTime = f"{moment:%Y%m%d%H%M%S}" if moment else ""
    dataset.StudyID = ""
    dataset.AccessionNumber = ""
    dataset.ReferringPhysicianName = ""
    dataset.Manufacturer = ""
    dataset.SeriesNumber = 1
    dataset.InstanceNumber = 1
    dataset.PatientIdentityRemoved = "YES"
    dataset.DeidentificationMethod = "identifiers were not read"


def _group(ecg: ECG, digital: np.ndarray) -> Dataset:
    import pydicom

    bits = 8 * digital.itemsize
    group = pydicom.Dataset()
    group.MultiplexGroupTimeOffset = 0
    group.WaveformOriginality = "ORIGINAL"
    group.NumberOfWaveformChannels = len(LEADS)
    group.NumberOfWaveformSamples = len(digital)
    group.SamplingFrequency = f"{ecg.fs:.10g}"
    group.MultiplexGroupLabel = "RHYTHM"
    group.ChannelDefinitionSequence = [
        _channel(lead, number, bits) for lead, number in zip(LEADS, _MDC_NUMBERS, strict=True)
    ]
    group.WaveformBitsAllocated = bits
    group.WaveformSampleInterpretation = "SS" if bits == 16 else "SL"
    group.WaveformData = digital.tobytes()
    return group


def _channel(lead: str, number: int, bits: int) -> Dataset:
    import pydicom

    channel = pydicom.Dataset()
    channel.ChannelLabel = lead
    channel.ChannelSourceSequence = [_code(f"2:{number}", "MDC", f"Lead {lead}")]
    channel.ChannelSensitivity = "1"
    channel.ChannelSensitivityUnitsSequence = [_code("uV", "UCUM", "microvolt")]
    channel.ChannelSensitivityCorrectionFactor = "1"
    channel.ChannelBaseline = "0"
    channel.ChannelSampleSkew = "0"
    channel.WaveformBitsStored = bits
    return channel


def _code(value: str, scheme: str, meaning: str) -> Dataset:
    import pydicom

    code = pydicom.Dataset()
    code.CodeValue = value
    code.CodingSchemeDesignator = scheme
    code.CodeMeaning = meaning
    return code
