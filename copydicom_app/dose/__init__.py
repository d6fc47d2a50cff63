"""Radiation dose: reports and image headers to flat study and irradiation records."""

from copydicom_app.dose.image import image_dose
from copydicom_app.dose.report import flatten_dose_report, is_dose_report

__all__ = ["flatten_dose_report", "image_dose", "is_dose_report"]
