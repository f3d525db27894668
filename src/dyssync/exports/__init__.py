"""One answer as other systems take it: FHIR, PDF, DICOM; the JSON schema of a prediction."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dyssync.exports.case import Case, make_case
from dyssync.registry import Registry

__all__ = ["EXPORTS", "SUFFIXES", "Case", "make_case"]

# Name -> what makes the bytes of a file of a case.
EXPORTS: Registry[Callable[[Case], bytes]] = Registry[Any](
    "export",
    {
        "fhir": "dyssync.exports.fhir:report_fhir",
        "pdf": "dyssync.exports.pdf:report_pdf",
        "dicom": "dyssync.exports.dicom:report_dicom",
    },
)
SUFFIXES = {"fhir": ".fhir.json", "pdf": ".pdf", "dicom": ".dcm"}
