"""Which irradiations an examination takes, and what each of them gives.

Doses follow what they follow in life: the technique, the scanner, the patient's weight (tube current
modulation, automatic exposure control), the age of a child's head, the thickness of a breast; and chance, a
little. Each irradiation is told once, as fields of `dicom:dose:event`; image headers and dose reports are
both written from it. ``Study.dose`` makes the outliers: "repeated" (scanned twice), "tripled" (three times
the usual CTDIvol), "notified" (a dose check notification).
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from testbench.dicom_objects import uid
from testbench.hospital_plan import FIRST_DAY, PATIENTS, SCANNERS, Patient, Scanner, Study
from testbench.hospital_protocols import (
    EXAMINATIONS,
    Intervention,
    Mammogram,
    Plan,
    Radiograph,
    Scan,
)

Fields = dict[str, Any]

_mGy_PER_mAs = {"Body": 0.075, "Head": 0.15}  # CTDIvol at 120 kV
_OUTPUT = {80.0: 0.30, 100.0: 0.62, 120.0: 1.0}  # of a tube, beside 120 kV
_HEADS = ((5, 0.6), (10, 0.75), (15, 0.88))  # younger than so many years: so much of an adult's dose
_COPPER = ("Copper or Copper compound", 0.1, 0.1)
_RHODIUM = ("Rhodium or Rhodium compound", 0.05, 0.05)


@dataclass(frozen=True)
class Irradiation:
    """One exposure: what it gives, and which series (by their place in the study, from 1) show it."""

    fields: Fields
    series: tuple[int, ...] = ()

    @property
    def uid(self) -> str:
        return str(self.fields["irradiation_event_uid"])


def plans_of(study: Study) -> tuple[Plan, ...]:
    """The series of a study; a scan that was repeated has its images once more."""
    plans = EXAMINATIONS[study.examination].plans
    if study.dose == "repeated":
        again = (plan for plan in plans if not plan.is_localizer)
        plans += tuple(replace(plan, description=f"{plan.description} repeated") for plan in again)
    return plans


def series_time(begin: datetime | None, number: int, plan: Plan) -> datetime | None:
    """When the series at that place begins; both planes of a run begin together."""
    if begin is None:
        return None
    return begin + timedelta(minutes=2 * (number - plan.look.endswith("-B")))


def irradiations(study: Study, study_uid: str, begin: datetime | None) -> list[Irradiation]:
    """All of a study, in the order of time; none of MR."""
    examination = EXAMINATIONS[study.examination]
    if examination.technique is None:
        return []
    patient, scanner = PATIENTS[study.patient], SCANNERS[study.scanner]
    found: list[Irradiation] = []
    for number, plan in enumerate(plans_of(study), start=1):
        if plan.again:
            found[-1] = replace(found[-1], series=(*found[-1].series, number))
            continue
        chance = random.Random(f"irradiation {study_uid} {number}")
        case = _Case(study, patient, scanner, plan, examination.protocol, chance)
        when = series_time(begin, number, plan)
        series_uid = uid(study_uid, number)
        for order, (seconds, fields) in enumerate(case.exposures(examination.technique)):
            shown = fields.pop("shown", True)
            fields["irradiation_event_uid"] = str(uid(series_uid, "irradiation", order))
            if when:
                fields["datetime_started"] = (when + timedelta(seconds=seconds)).isoformat()
            if shown and scanner.modality in ("XA", "MG"):
                fields.update(modality=scanner.modality, image_uid=str(uid(series_uid, 1)))
            found.append(Irradiation(fields, (number,) if shown else ()))
    return sorted(found, key=lambda each: each.fields.get("datetime_started", ""))


def years(patient: Patient, at: date) -> int:
    """The age; of a patient without a date of birth that of an adult."""
    if not patient.born:
        return 40
    born = datetime.strptime(patient.born, "%Y%m%d")
    return at.year - born.year - ((at.month, at.day) < (born.month, born.day))


def _digits(value: float, digits: int = 4) -> float:
    """As machines write numbers: so that any unit in which it is written gives the same number."""
    return float(f"{value:.{digits}g}")


@dataclass(frozen=True)
class _Case:
    """One series of a patient on a scanner."""

    study: Study
    patient: Patient
    scanner: Scanner
    plan: Plan
    protocol: str
    chance: random.Random

    def exposures(self, technique: object) -> Iterator[tuple[float, Fields]]:
        """Seconds from the beginning of the series, and the fields, of each exposure."""
        match technique:
            case Scan():
                yield 0, self._localizer(technique) if self.plan.is_localizer else self._scan(technique)
            case Intervention():
                yield from self._intervention(technique)
            case Mammogram():
                yield 0, self._mammogram(technique)
            case Radiograph():
                yield 0, self._radiograph(technique)

    def _size(self, exponent: float) -> float:
        """What the patient's weight, the scanner and chance make of the dose of 75 kg."""
        return (self.patient.weight / 75) ** exponent * self.scanner.dose * self.chance.uniform(0.93, 1.07)

    # --- CT ---

    def _localizer(self, scan: Scan) -> Fields:
        return {
            "acquisition_protocol": self.plan.description,
            "ct_acquisition_type": "Constant Angle Acquisition",
            "target_region": scan.region,
            "exposure_time_s": 3.1,
            "kvp_kV": 100.0,
            "xray_tube_current_mA": 35.0,
            "n_xray_sources": 1,
        }

    def _scan(self, scan: Scan) -> Fields:
        ctdi, kvp = scan.ctdivol_mGy, scan.kvp_kV
        length = scan.length_mm * self.chance.uniform(0.96, 1.04)
        if scan.phantom == "Head":
            age = years(self.patient, FIRST_DAY)
            ctdi *= next((share for limit, share in _HEADS if age < limit), 1.0) * self._size(0.0)
        else:
            ctdi *= self._size(0.95)
            length *= self.patient.size / 1.70
            kvp = 80.0 if self.patient.weight < 30 else 100.0 if self.patient.weight < 60 else kvp
        if self.study.dose == "tripled":
            ctdi *= 3
        current = ctdi * scan.pitch / (_mGy_PER_mAs[scan.phantom] * _OUTPUT[kvp] * scan.rotation_s)
        ctdi, length = _digits(ctdi), _digits(length)
        fields = {
            "acquisition_protocol": self.protocol,
            "ct_acquisition_type": "Spiral Acquisition",
            "target_region": scan.region,
            "ctdiw_phantom_type": f"IEC {scan.phantom} Dosimetry Phantom",
            "ctdivol_mGy": ctdi,
            "dlp_mGycm": _digits(ctdi * length / 10, 5),
            "scanning_length_mm": length,
            "exposure_time_s": _digits(scan.rotation_s * (length / (scan.pitch * scan.collimation_mm) + 1)),
            "nominal_single_collimation_mm": 0.6,
            "nominal_total_collimation_mm": scan.collimation_mm,
            "pitch_factor": scan.pitch,
            "n_xray_sources": 1,
            "kvp_kV": kvp,
            "xray_tube_current_mA": float(round(current)),
            "max_xray_tube_current_mA": float(round(current * (1.15 if scan.phantom == "Head" else 1.6))),
            "exposure_time_per_rotation_s": scan.rotation_s,
        }
        if not scan.contrast:
            fields["procedure_context"] = "CT without contrast"
        if scan.phantom == "Body" and self.scanner.station != "CT02":
            fields.update(self._size_specific(ctdi))
        if self.study.dose == "notified":
            fields.update(self._notification(fields["dlp_mGycm"]))
        return fields

    def _size_specific(self, ctdi: float) -> Fields:
        """SSDE after AAPM report 204, for the 32 cm phantom."""
        wed = _digits(293 * (self.patient.weight / 75) ** 0.42)
        factor = 3.704369 * math.exp(-0.03671937 * wed / 10)
        return {"ssde_mGy": _digits(ctdi * factor), "wed_mm": wed}

    def _notification(self, dlp: float) -> Fields:
        return {
            "dose_check_dlp_notif_configured": "Yes",
            "dose_check_dlp_notif_value_mGycm": float(math.floor(dlp / 100) * 100),
            "dose_check_dlp_fwd_mGycm": _digits(dlp * 1.02),
            "dose_check_notif_person": "Novak^Eva",
            "dose_check_notif_reason": "Heavy patient",
        }

    # --- angiography ---

    def _intervention(self, technique: Intervention) -> Iterator[tuple[float, Fields]]:
        """Fluoroscopy in two goes, then the run that the images show."""
        for go, share in ((0, 0.7), (1, 0.3)):
            seconds = technique.fluoro_s * share * self.chance.uniform(0.7, 1.3)
            kerma = technique.fluoro_mGy_per_s * seconds * self._size(1.5)
            fields = self._projection(technique, kerma, seconds, 7.5)
            fields.update(irradiation_event_type="Fluoroscopy", fluoro_mode="Pulsed", shown=False)
            fields["acquisition_protocol"] = "FL low"
            yield -90 + 45 * go, fields
        fields = self._projection(
            technique, technique.run_mGy * self._size(1.5), technique.run_s, technique.frames_per_s
        )
        yield (
            0,
            {
                **fields,
                "irradiation_event_type": "Stationary Acquisition",
                "acquisition_protocol": self.protocol,
            },
        )

    def _projection(self, technique: Intervention, kerma: float, seconds: float, rate: float) -> Fields:
        pulses = max(1, round(seconds * rate))
        width = 6.4
        kerma = _digits(kerma)
        plane = self.plan.look.rpartition("-")[2]
        return {
            "acquisition_plane": f"Plane {plane}" if plane in ("A", "B") else "Single Plane",
            "target_region": technique.region,
            "reference_point_definition": "15cm from Isocenter toward Source",
            "patient_table_relationship": "headfirst",
            "patient_orientation": "recumbent",
            "rp_dose_mGy": kerma,
            "dap_Gycm2": _digits(kerma * technique.field_cm2 * self.chance.uniform(0.9, 1.1) / 1000),
            "irradiation_duration_s": _digits(seconds),
            "pulse_rate_per_s": rate,
            "n_pulses": pulses,
            "pulse_width_ms": width,
            "exposure_time_ms": _digits(pulses * width),
            "kvp_kV": float(round(76 + (self.patient.weight - 75) / 5)),
            "xray_tube_current_mA": _digits(450 * self.chance.uniform(0.8, 1.2)),
            "focal_spot_mm": 0.6,
            "primary_angle_deg": float(self.plan.header["PositionerPrimaryAngle"]),
            "secondary_angle_deg": float(self.plan.header["PositionerSecondaryAngle"]),
            "source_detector_distance_mm": 1100.0,
            "filters": [_COPPER],
        }

    # --- mammography and radiography ---

    def _mammogram(self, technique: Mammogram) -> Fields:
        _, side, view = self.plan.look.split("-")
        oblique = view == "MLO"
        bmi = self.patient.weight / self.patient.size**2
        thick = round(50 + 2.2 * (bmi - 24) + (6 if oblique else 0) + self.chance.uniform(-3, 3))
        dose = technique.agd_mGy * (thick / 53) ** 1.1 * (1.06 if oblique else 1.0)
        dose = _digits(dose * self._size(0.0), 3)
        return {
            "acquisition_plane": "Single Plane",
            "acquisition_protocol": self.protocol,
            "irradiation_event_type": "Stationary Acquisition",
            "anatomical_structure": "Breast",
            "laterality": {"L": "Left", "R": "Right"}[side],
            "image_view": "medio-lateral oblique" if oblique else "cranio-caudal",
            "target_region": "Breast",
            "anode_target_material": "Tungsten or Tungsten compound",
            "agd_mGy": dose,
            "entrance_exposure_mGy": _digits(dose * 3.1 * (thick / 53) ** 0.5),
            "hvl_mmAl": 0.53,
            "kvp_kV": float(round(28 + (thick - 50) / 8)),
            "exposure_mAs": float(round(62 * dose)),
            "compression_thickness_mm": float(thick),
            "compression_force_N": float(round(self.chance.uniform(78, 128))),
            "percent_fibroglandular_tissue": float(round(self.chance.uniform(8, 42))),
            "filters": [_RHODIUM],
        }

    def _radiograph(self, technique: Radiograph) -> Fields:
        factor = self._size(1.4)
        fields = {
            "acquisition_protocol": self.protocol,
            "exposure_mAs": _digits(technique.exposure_mAs * factor, 3),
            "kvp_kV": float(self.plan.header["KVP"]),
        }
        if technique.dap_Gycm2:
            fields["dap_Gycm2"] = _digits(technique.dap_Gycm2 * factor, 3)
            fields["entrance_exposure_mGy"] = _digits(technique.entrance_mGy * factor, 3)
        return fields


def total(events: Sequence[Irradiation], field: str) -> float:
    """The sum of one field over the irradiations that have it."""
    return _digits(math.fsum(float(each.fields.get(field, 0)) for each in events), 8)
