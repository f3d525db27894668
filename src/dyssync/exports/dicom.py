"""The page of a case as an encapsulated PDF, the way into any picture archive.

References:
    DICOM PS3.3 A.45.1 (Encapsulated PDF IOD), C.24.2 (Encapsulated Document module).
"""

from __future__ import annotations

import hashlib
import io

from dyssync import __version__
from dyssync.exports.case import Case
from dyssync.exports.pdf import report_pdf
from dyssync.inspection.answer import RESEARCH_ONLY

ENCAPSULATED_PDF = "1.2.840.10008.5.1.4.1.1.104.1"
EXPLICIT_LITTLE_ENDIAN = "1.2.840.10008.1.2.1"


def report_dicom(case: Case) -> bytes:
    """Return the object; the same page gives the same UIDs.

    No identifier stands in it but what the name of the file holds, which the page shows.
    """
    import pydicom
    from pydicom.uid import UID, generate_uid

    pdf = report_pdf(case)
    seeds = [hashlib.sha256(pdf).hexdigest()]
    meta = pydicom.dataset.FileMetaDataset()
    meta.TransferSyntaxUID = UID(EXPLICIT_LITTLE_ENDIAN)
    meta.MediaStorageSOPClassUID = UID(ENCAPSULATED_PDF)
    meta.MediaStorageSOPInstanceUID = generate_uid(entropy_srcs=[*seeds, "instance"])
    page = pydicom.Dataset()
    page.file_meta = meta
    page.SOPClassUID = meta.MediaStorageSOPClassUID
    page.SOPInstanceUID = meta.MediaStorageSOPInstanceUID
    page.StudyInstanceUID = generate_uid(entropy_srcs=[*seeds, "study"])
    page.SeriesInstanceUID = generate_uid(entropy_srcs=[*seeds, "series"])
    for empty in ("PatientName", "PatientID", "PatientBirthDate", "ReferringPhysicianName"):
        setattr(page, empty, "")
    for empty in ("AccessionNumber", "StudyID", "StudyDate", "StudyTime", "AcquisitionDateTime"):
        setattr(page, empty, "")
    sex = case.recording.sex
    page.PatientSex = sex or ""
    page.Modality = "DOC"
    page.ConversionType = "WSD"
    page.SeriesNumber = page.InstanceNumber = 1
    page.SeriesDescription = "Research only: CRT response"
    page.Manufacturer = "dyssync"
    page.ManufacturerModelName = "dyssync"
    page.DeviceSerialNumber = case.digest
    page.SoftwareVersions = __version__
    page.ContentDate = f"{case.made_at:%Y%m%d}"
    page.ContentTime = f"{case.made_at:%H%M%S}"
    page.BurnedInAnnotation = "YES"  # the name of the file, which may be made of a patient's
    page.RecognizableVisualFeatures = "NO"
    page.DocumentTitle = RESEARCH_ONLY
    page.ConceptNameCodeSequence = []
    page.MIMETypeOfEncapsulatedDocument = "application/pdf"
    page.EncapsulatedDocumentLength = len(pdf)
    page.EncapsulatedDocument = pdf + b"\0" * (len(pdf) % 2)
    file = io.BytesIO()
    page.save_as(file, enforce_file_format=True)
    return file.getvalue()
