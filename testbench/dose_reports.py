"""Synthetic radiation dose reports, with the values that a flattener must find in them.

Whoever asks for a report gives each event as fields of `dicom:dose:event` (names of docs/fields.md, in
their units and with the text of the code's meaning), and gets Orthanc's simplified tags or a DICOM file,
and what is expected of each record. The tables here say how a field is written in a report; they are the
factory's own, so that a mistake in the app's table does not repeat itself in its tests.

    report = ct_report(Study("demo/1", patient_id="P1"), [{"ct_acquisition_type": "Spiral Acquisition",
                       "ctdivol_mGy": 9.9, "dlp_mGycm": 410.0, "kvp_kV": 120.0}], DIALECTS["ge_ct"])
    report.tags, report.dicom(), report.study, report.events

The same arguments give the same report, UIDs included.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from testbench.dose_dialects import DIALECTS
from testbench.sr_items import Dialect, Item, Writer, dicom_bytes, uid

__all__ = ["DIALECTS", "Dialect", "Report", "Study", "ct_report", "nuclear_report", "projection_report"]

Event = Mapping[str, Any]

DOSE_SR = "1.2.840.10008.5.1.4.1.1.88.67"
ENHANCED_SR = "1.2.840.10008.5.1.4.1.1.88.22"
NUCLEAR_SR = "1.2.840.10008.5.1.4.1.1.88.68"

# Field of an event: (concept, name, unit in the file, what a value is multiplied by).
_NUMBERS = {
    "ctdivol_mGy": ("113830", "Mean CTDIvol", "mGy", 1),
    "dlp_mGycm": ("113838", "DLP", "mGy.cm", 1),
    "ssde_mGy": ("113930", "Size Specific Dose Estimation", "mGy", 1),
    "wed_mm": ("113980", "Water Equivalent Diameter", "mm", 1),
    "effective_diameter_mm": ("113933", "Derived Effective Diameter", "mm", 1),
    "exposure_time_s": ("113824", "Exposure Time", "s", 1),
    "exposure_time_ms": ("113824", "Exposure Time", "ms", 1),
    "scanning_length_mm": ("113825", "Scanning Length", "mm", 1),
    "nominal_single_collimation_mm": ("113826", "Nominal Single Collimation Width", "mm", 1),
    "nominal_total_collimation_mm": ("113827", "Nominal Total Collimation Width", "mm", 1),
    "pitch_factor": ("113828", "Pitch Factor", "{ratio}", 1),
    "n_xray_sources": ("113823", "Number of X-Ray Sources", "{X-Ray sources}", 1),
    "kvp_kV": ("113733", "KVP", "kV", 1),
    "xray_tube_current_mA": ("113734", "X-Ray Tube Current", "mA", 1),
    "max_xray_tube_current_mA": ("113833", "Maximum X-Ray Tube Current", "mA", 1),
    "exposure_time_per_rotation_s": ("113834", "Exposure Time per Rotation", "s", 1),
    "avg_xray_tube_current_mA": ("113767", "Average X-Ray Tube Current", "mA", 1),
    "dap_Gycm2": ("122130", "Dose Area Product", "Gy.m2", 1e-4),
    "rp_dose_mGy": ("113738", "Dose (RP)", "Gy", 1e-3),
    "exposure_mAs": ("113736", "Exposure", "uA.s", 1e3),
    "pulse_rate_per_s": ("113791", "Pulse Rate", "{pulse}/s", 1),
    "n_pulses": ("113768", "Number of Pulses", "1", 1),
    "pulse_width_ms": ("113793", "Pulse Width", "ms", 1),
    "irradiation_duration_s": ("113742", "Irradiation Duration", "s", 1),
    "focal_spot_mm": ("113766", "Focal Spot Size", "mm", 1),
    "primary_angle_deg": ("112011", "Positioner Primary Angle", "deg", 1),
    "secondary_angle_deg": ("112012", "Positioner Secondary Angle", "deg", 1),
    "source_detector_distance_mm": ("113750", "Distance Source to Detector", "mm", 1),
    "source_isocenter_distance_mm": ("113748", "Distance Source to Isocenter", "mm", 1),
    "collimated_field_area_cm2": ("113790", "Collimated Field Area", "m2", 1e-4),
    "exposure_index": ("113845", "Exposure Index", "1", 1),
    "target_exposure_index": ("113846", "Target Exposure Index", "1", 1),
    "deviation_index": ("113847", "Deviation Index", "1", 1),
    "agd_mGy": ("111631", "Average Glandular Dose", "mGy", 1),
    "entrance_exposure_mGy": ("111636", "Entrance Exposure at RP", "mGy", 1),
    "hvl_mmAl": ("111634", "Half Value Layer", "mm", 1),
    "compression_thickness_mm": ("111633", "Compression Thickness", "mm", 1),
    "compression_force_N": ("111647", "Compression Force", "N", 1),
    "percent_fibroglandular_tissue": ("111046", "Percent Fibroglandular Tissue", "%", 1),
    "administered_activity_MBq": ("113507", "Administered activity", "MBq", 1),
    "effective_dose_mSv": ("113839", "Effective Dose", "mSv", 1),
    "radiopharmaceutical_specific_activity": (
        "123007",
        "Radiopharmaceutical Specific Activity",
        "Bq/mmol",
        1e-3,
    ),
    "dose_check_dlp_alert_value_mGycm": ("113903", "DLP Alert Value", "mGy.cm", 1),
    "dose_check_ctdivol_alert_value_mGy": ("113904", "CTDIvol Alert Value", "mGy", 1),
    "dose_check_accum_dlp_fwd_mGycm": ("113905", "Accumulated DLP Forward Estimate", "mGy.cm", 1),
    "dose_check_dlp_notif_value_mGycm": ("113911", "DLP Notification Value", "mGy.cm", 1),
    "dose_check_dlp_fwd_mGycm": ("113913", "DLP Forward Estimate", "mGy.cm", 1),
}
# Field of an event: (concept, scheme, name).
_CODES = {
    "ct_acquisition_type": ("113820", "DCM", "CT Acquisition Type"),
    "target_region": ("123014", "DCM", "Target Region"),
    "procedure_context": ("G-C32C", "SRT", "Procedure Context"),
    "ctdiw_phantom_type": ("113835", "DCM", "CTDIw Phantom Type"),
    "irradiation_event_type": ("113721", "DCM", "Irradiation Event Type"),
    "acquisition_plane": ("113764", "DCM", "Acquisition Plane"),
    "anatomical_structure": ("T-D0005", "SRT", "Anatomical structure"),
    "laterality": ("G-C171", "SRT", "Laterality"),
    "image_view": ("111031", "DCM", "Image View"),
    "reference_point_definition": ("113780", "DCM", "Reference Point Definition"),
    "fluoro_mode": ("113732", "DCM", "Fluoro Mode"),
    "anode_target_material": ("111632", "DCM", "Anode Target Material"),
    "xray_grid": ("111635", "DCM", "X-Ray Grid"),
    "patient_table_relationship": ("113745", "DCM", "Patient Table Relationship"),
    "patient_orientation": ("113743", "DCM", "Patient Orientation"),
    "radiopharmaceutical_agent": ("F-61FDB", "SRT", "Radiopharmaceutical agent"),
    "radionuclide": ("C-10072", "SRT", "Radionuclide"),
    "route_of_administration": ("G-C340", "SRT", "Route of administration"),
    "dose_check_dlp_alert_configured": ("113901", "DCM", "DLP Alert Value Configured"),
    "dose_check_dlp_notif_configured": ("113909", "DCM", "DLP Notification Value Configured"),
}
# Meaning of a value: (code, scheme).
_VALUES = {
    "Spiral Acquisition": ("P5-08001", "SRT"),
    "Sequenced Acquisition": ("113804", "DCM"),
    "Constant Angle Acquisition": ("113805", "DCM"),
    "Stationary Acquisition": ("113806", "DCM"),
    "CT without contrast": ("P5-0808E", "SRT"),
    "IEC Head Dosimetry Phantom": ("113690", "DCM"),
    "IEC Body Dosimetry Phantom": ("113691", "DCM"),
    "Fluoroscopy": ("P5-06000", "SRT"),
    "Rotational Acquisition": ("113613", "DCM"),
    "Single Plane": ("113622", "DCM"),
    "Plane A": ("113620", "DCM"),
    "Plane B": ("113621", "DCM"),
    "Pulsed": ("113631", "DCM"),
    "15cm from Isocenter toward Source": ("113860", "DCM"),
    "Head": ("T-D1100", "SRT"),
    "Chest": ("T-D3000", "SRT"),
    "Abdomen": ("T-D4000", "SRT"),
    "Entire body": ("T-D0010", "SRT"),
    "Breast": ("T-04000", "SRT"),
    "Left": ("G-A101", "SRT"),
    "Right": ("G-A100", "SRT"),
    "cranio-caudal": ("R-10242", "SRT"),
    "medio-lateral oblique": ("R-10226", "SRT"),
    "Tungsten or Tungsten compound": ("C-164F9", "SRT"),
    "Copper or Copper compound": ("C-127F9", "SRT"),
    "Aluminum or Aluminum compound": ("C-120F9", "SRT"),
    "Silver or Silver compound": ("C-137F9", "SRT"),
    "Rhodium or Rhodium compound": ("C-167F9", "SRT"),
    "Strip filter": ("113650", "DCM"),
    "Focused grid": ("111642", "DCM"),
    "headfirst": ("F-10470", "SRT"),
    "recumbent": ("F-10450", "SRT"),
    "Fluorodeoxyglucose F^18^": ("C-B1031", "SRT"),
    "^18^Fluorine": ("C-111A1", "SRT"),
    "Intravenous route": ("G-D101", "SRT"),
    "Yes": ("R-0038D", "SRT"),
    "Computed Tomography X-Ray": ("P5-08000", "SRT"),
    "Projection X-Ray": ("113704", "DCM"),
    "Mammography": ("P5-40010", "SRT"),
    "PET study for localization of tumor": ("P5-0A00A", "SRT"),
    "Diagnostic Intent": ("R-408C3", "SRT"),
    "Study": ("113014", "DCM"),
    "Automated Data Collection": ("113856", "DCM"),
    "Irradiating Device": ("113859", "DCM"),
    "Device": ("121007", "DCM"),
}
# Accumulated dose: field of the study: (concept, name, unit, factor).
_TOTALS = {
    "total_dap_Gycm2": ("113722", "Dose Area Product Total", "Gy.m2", 1e-4),
    "total_rp_dose_mGy": ("113725", "Dose (RP) Total", "Gy", 1e-3),
    "fluoro_dap_Gycm2": ("113726", "Fluoro Dose Area Product Total", "Gy.m2", 1e-4),
    "fluoro_rp_dose_mGy": ("113728", "Fluoro Dose (RP) Total", "Gy", 1e-3),
    "total_fluoro_time_s": ("113730", "Total Fluoro Time", "s", 1),
    "acq_dap_Gycm2": ("113727", "Acquisition Dose Area Product Total", "Gy.m2", 1e-4),
    "acq_rp_dose_mGy": ("113729", "Acquisition Dose (RP) Total", "Gy", 1e-3),
}
_IN_CT_DOSE = (
    "ctdivol_mGy",
    "ctdiw_phantom_type",
    "dlp_mGycm",
    "ssde_mGy",
    "effective_diameter_mm",
    "wed_mm",
)
_IN_SOURCE = ("kvp_kV", "xray_tube_current_mA", "max_xray_tube_current_mA", "exposure_time_per_rotation_s")
_IN_ALERT = tuple(name for name in (*_CODES, *_NUMBERS) if "_alert_" in name or "_accum_" in name)
_IN_NOTIFICATION = tuple(
    name for name in (*_CODES, *_NUMBERS) if "_notif_" in name or name.endswith("dlp_fwd_mGycm")
)
_PARAMETERS = (
    "exposure_time_s",
    "scanning_length_mm",
    "nominal_single_collimation_mm",
    "nominal_total_collimation_mm",
    "pitch_factor",
    "n_xray_sources",
)
_IMAGES = {
    "XA": "1.2.840.10008.5.1.4.1.1.12.1",
    "RF": "1.2.840.10008.5.1.4.1.1.12.2",
    "DX": "1.2.840.10008.5.1.4.1.1.1.1",
    "MG": "1.2.840.10008.5.1.4.1.1.1.2",
}


@dataclass(frozen=True)
class Study:
    """Who and where: the header of the report. Dates and times are ISO 8601; UIDs come from `name`."""

    name: str
    patient_id: str = "DEMO0001"
    patient_name: str = "DEMO^PATIENT"
    birth_date: str = "1960-05-17"
    sex: str = "F"
    weight_kg: float = 0.0
    size_m: float = 0.0
    accession_number: str = "A0001"
    description: str = "Synthetic study"
    requested_procedure: str = ""
    start: str = "2024-03-01T10:00:00"
    manufacturer: str = "Synthetic Medical"
    model: str = "Model S"
    station: str = "SYN01"
    serial: str = "S-0001"
    institution: str = "Example Hospital"
    study_uid: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def uid(self) -> str:
        return self.study_uid or uid(self.name, "study")


@dataclass(frozen=True)
class Report:
    """A report and what it says: `study` and `events` are the fields that its flat records must have."""

    tags: Mapping[str, Any]
    study: Mapping[str, Any]
    events: Sequence[Mapping[str, Any]]

    def dicom(self, transfer_syntax: str = "1.2.840.10008.1.2.1") -> bytes:
        """The DICOM file (needs pydicom)."""
        return dicom_bytes(self.tags, transfer_syntax)


def ct_report(study: Study, events: Sequence[Event], dialect: Dialect = DIALECTS["standard"]) -> Report:
    """A CT report (TID 10011). A second X-ray source is given by `kvp_b_kV` and its like."""
    write = _Factory(study, dialect)
    total = sum(float(event.get("dlp_mGycm", 0)) for event in events)
    accumulated = [
        write.number(("113812", "DCM", "Total Number of Irradiation Events"), len(events), "{events}"),
        write.number(("113813", "DCM", "CT Dose Length Product Total"), total, "mGy.cm"),
    ]
    content = [
        *write.opening("Computed Tomography X-Ray"),
        write.container(("113811", "DCM", "CT Accumulated Dose Data"), accumulated),
        *write.each(events, write.ct_event),
        write.value("113854", "Source of Dose Information", "Automated Data Collection"),
    ]
    said = {"modality": "CT", "total_dlp_mGycm": total, "n_events_reported": len(events)}
    return write.report(content, "10011", DOSE_SR, events, said)


def projection_report(
    study: Study,
    events: Sequence[Event],
    dialect: Dialect = DIALECTS["standard"],
    totals: Sequence[Event] = (),
    mammography: bool = False,
) -> Report:
    """A projection X-ray report (TID 10001): fluoroscopy, angiography, radiography or mammography.

    `totals` has the accumulated dose, once for each plane: fields of the study, and `acquisition_plane`.
    An event's `filters` are (material, minimum, maximum in mm); its `modality` gives it an acquired image.
    """
    write = _Factory(study, dialect)
    procedure = "Mammography" if mammography else "Projection X-Ray"
    yes = [("113945", "Detector"), ("113943", "Source"), ("113944", "Mechanical")]
    content = [
        *write.opening(procedure),
        *(write.value(code, f"X-Ray {what} Data Available", "Yes") for code, what in yes),
        *(write.accumulated(plane) for plane in totals),
        *write.each(events, write.projection_event),
        write.value("113854", "Source of Dose Information", "Automated Data Collection"),
    ]
    said: dict[str, Any] = {"xray_detector_data_available": dialect.meaning("Yes")}
    for plane in totals:
        for name, value in plane.items():
            if isinstance(value, (int, float)):
                said[name] = said.get(name, 0) + value
    return write.report(content, "10001", DOSE_SR, events, said)


def nuclear_report(study: Study, events: Sequence[Event], dialect: Dialect = DIALECTS["standard"]) -> Report:
    """A radiopharmaceutical report (TID 10021); `glucose_mmol_l` of the first event is the patient's."""
    write = _Factory(study, dialect)
    content = [
        write.coded(
            ("G-C2D0", "SRT", "Associated Procedure"),
            write.known("PET study for localization of tumor"),
            "HAS CONCEPT MOD",
            [write.intent()],
        ),
        *write.each(events, write.administration),
    ]
    glucose = events[0].get("glucose_mmol_l") if events else None
    if glucose is not None:
        patient = [write.number(("14749-6", "LN", "Glucose"), float(glucose), "mmol/l")]
        content.append(write.container(("121118", "DCM", "Patient Characteristics"), patient))
    return write.report(content, "10021", NUCLEAR_SR, events, {"modality": "PT"})


class _Factory(Writer):
    """Writes the parts of one study's report."""

    def __init__(self, study: Study, dialect: Dialect) -> None:
        super().__init__(dialect)
        self.study = study

    def known(self, meaning: str) -> tuple[str, str, str]:
        value, scheme = _VALUES.get(meaning, (meaning[:16], "99SYN"))
        return value, scheme, meaning

    def value(self, concept: str, name: str, meaning: str) -> Item:
        return self.coded((concept, "DCM", name), self.known(meaning))

    def intent(self) -> Item:
        return self.coded(("G-C0E8", "SRT", "Has Intent"), self.known("Diagnostic Intent"), "HAS CONCEPT MOD")

    def opening(self, procedure: str) -> list[Item]:
        """What every X-ray report begins with: procedure, observer, scope, time."""
        study, context = self.study, "HAS OBS CONTEXT"
        scope = self.uidref(("110180", "DCM", "Study Instance UID"), study.uid, "HAS PROPERTIES")
        return [
            self.coded(
                ("121058", "DCM", "Procedure reported"),
                self.known(procedure),
                "HAS CONCEPT MOD",
                [self.intent()],
            ),
            self.coded(("121005", "DCM", "Observer Type"), self.known("Device"), context),
            self.uidref(("121012", "DCM", "Device Observer UID"), uid(study.station, "device"), context),
            self.text(("121013", "DCM", "Device Observer Name"), study.station, context),
            self.text(("121014", "DCM", "Device Observer Manufacturer"), study.manufacturer, context),
            self.datetime(("113809", "DCM", "Start of X-Ray Irradiation"), study.start, context),
            self.coded(("113705", "DCM", "Scope of Accumulation"), self.known("Study"), context, [scope]),
        ]

    def each(self, events: Sequence[Event], write: Any) -> list[Item]:
        items = [write(event, index) for index, event in enumerate(events, start=1)]
        return items[::-1] if self.dialect.reverse_events else items

    def ct_event(self, event: Event, index: int) -> Item:
        sources = [self._source(event, "")]
        if "kvp_b_kV" in event:
            sources.append(self._source(event, "_b"))
        children = [
            *self._event_start(event, index),
            *self._fields(event, ("target_region", "ct_acquisition_type", "procedure_context")),
            self.container(
                ("113822", "DCM", "CT Acquisition Parameters"), [*self._fields(event, _PARAMETERS), *sources]
            ),
        ]
        dose = [*self._fields(event, _IN_CT_DOSE), *self._dose_check(event)]
        if dose:
            children.append(self.container(("113829", "DCM", "CT Dose"), dose))
        children.extend(self._device())
        return self.container(("113819", "DCM", "CT Acquisition"), children)

    def projection_event(self, event: Event, index: int) -> Item:
        children = [*self._fields(event, ("acquisition_plane",)), *self._event_start(event, index)]
        if "anatomical_structure" in event:
            side = self._fields(event, ("laterality",))
            structure = self.known(str(event["anatomical_structure"]))
            children.append(self.coded(_CODES["anatomical_structure"], structure, children=side))
        codes = [
            name for name in _CODES if name not in ("acquisition_plane", "anatomical_structure", "laterality")
        ]
        numbers = [name for name in _NUMBERS if name not in ("kvp_kV", "percent_fibroglandular_tissue")]
        children += self._fields(event, codes)
        for _ in range(self.dialect.repeat_source):
            children += [*self._fields(event, ("kvp_kV",)), *self._filters(event)]
        children += self._fields(event, numbers)
        if "percent_fibroglandular_tissue" in event:
            inner = self._fields(event, ("percent_fibroglandular_tissue",))
            children.append(self.container(("111016", "DCM", "Mammography CAD Breast Composition"), inner))
        if event.get("modality") in _IMAGES:
            image = uid(self.study.name, "image", str(index))
            children.append(
                self.image(("113795", "DCM", "Acquired Image"), _IMAGES[event["modality"]], image)
            )
        if self.dialect.private_items:
            children.append(self.number(("003", "99PHI-IXR-XPER", "Number of Frames"), 12, "1"))
        children.extend(self._device())
        return self.container(("113706", "DCM", "Irradiation Event X-Ray Data"), children)

    def administration(self, event: Event, index: int) -> Item:
        half_life = ("R-42806", "SRT", "Radionuclide Half Life")
        nuclide = self.coded(
            _CODES["radionuclide"],
            self.known(str(event["radionuclide"])),
            "HAS PROPERTIES",
            [self.number(half_life, float(event["radionuclide_half_life_s"]), "s")],
        )
        agent = self.known(str(event["radiopharmaceutical_agent"]))
        children = [
            self.coded(_CODES["radiopharmaceutical_agent"], agent, children=[nuclide]),
            *self._fields(event, ("radiopharmaceutical_specific_activity",)),
            self.uidref(("113503", "DCM", "Radiopharmaceutical Administration Event UID"), self._uid(index)),
            self.datetime(
                ("123003", "DCM", "Radiopharmaceutical Start DateTime"), str(event["administration_start"])
            ),
            *self._fields(
                event, ("administered_activity_MBq", "effective_dose_mSv", "route_of_administration")
            ),
        ]
        return self.container(("113502", "DCM", "Radiopharmaceutical Administration"), children)

    def accumulated(self, plane: Event) -> Item:
        """Accumulated dose of one plane (TID 10002), with glandular dose by side (TID 10005)."""
        children = [
            self.value("113764", "Acquisition Plane", str(plane.get("acquisition_plane", "Single Plane")))
        ]
        for name, (concept, meaning, unit, factor) in _TOTALS.items():
            if name in plane:
                children.append(self.number((concept, "DCM", meaning), float(plane[name]) * factor, unit))
        for side, code in (("left", "T-04030"), ("right", "T-04020")):
            if f"total_agd_{side}_mGy" in plane:
                breast = (code, "SRT", f"{side.capitalize()} breast")
                child = self.coded(("G-C171", "SRT", "Laterality"), breast, "HAS CONCEPT MOD")
                concept = ("111637", "DCM", "Accumulated Average Glandular Dose")
                value = float(plane[f"total_agd_{side}_mGy"])
                children.append(self.number(concept, value, "mGy", children=[child]))
        return self.container(("113702", "DCM", "Accumulated X-Ray Dose Data"), children)

    def report(
        self,
        content: list[Item],
        template: str,
        sop_class: str,
        events: Sequence[Event],
        said: Mapping[str, Any],
    ) -> Report:
        nuclear = template == "10021"
        title = (
            ("113500", "Radiopharmaceutical Radiation Dose Report")
            if nuclear
            else (
                "113701",
                "X-Ray Radiation Dose Report",
            )
        )
        meaning = self.dialect.title or self.dialect.meaning(title[1])
        tags: dict[str, Any] = {
            **self._header(),
            "SOPClassUID": ENHANCED_SR if self.dialect.enhanced_sr else sop_class,
            "ConceptNameCodeSequence": self.code(title[0], "DCM", meaning),
            "ContentSequence": content,
        }
        if not self.dialect.no_template:
            tags["ContentTemplateSequence"] = [{"MappingResource": "DCMR", "TemplateIdentifier": template}]
        expected = {"study_instance_uid": self.study.uid, "accession_number": self.study.accession_number}
        distinct = 1 if self.dialect.same_event_uids and events else len(events)
        study = {**expected, "n_events": distinct, **said}
        records = [{**expected, **self._expected(event, i)} for i, event in enumerate(events, start=1)]
        if self.dialect.reverse_events:
            records.reverse()
        return Report(
            tags, study, [{**record, "event_index": i} for i, record in enumerate(records, start=1)]
        )

    def _header(self) -> dict[str, Any]:
        study = self.study
        day, clock = study.start.replace("-", "").replace(":", "").split("T")
        tags = {
            "SOPInstanceUID": uid(study.name, "report"),
            "StudyInstanceUID": study.uid,
            "SeriesInstanceUID": uid(study.name, "report series"),
            "Modality": "SR",
            "SpecificCharacterSet": "ISO_IR 192",
            "StudyDate": day,
            "StudyTime": clock,
            "SeriesDate": day,
            "SeriesTime": clock,
            "ContentDate": day,
            "ContentTime": clock,
            "AccessionNumber": study.accession_number,
            "StudyDescription": study.description,
            "SeriesDescription": "Dose Report",
            "PatientID": study.patient_id,
            "PatientName": study.patient_name,
            "PatientBirthDate": study.birth_date.replace("-", ""),
            "PatientSex": study.sex,
            "PatientWeight": f"{study.weight_kg:g}",
            "PatientSize": f"{study.size_m:g}",
            "Manufacturer": study.manufacturer,
            "ManufacturerModelName": study.model,
            "StationName": study.station,
            "DeviceSerialNumber": study.serial,
            "InstitutionName": study.institution,
            "SeriesNumber": "997",
            "InstanceNumber": "1",
            "StudyID": "1",
            "ValueType": "CONTAINER",
            "ContinuityOfContent": "SEPARATE",
            "CompletionFlag": "COMPLETE",
            "VerificationFlag": "UNVERIFIED",
        }
        if study.requested_procedure:
            tags["RequestedProcedureDescription"] = study.requested_procedure
        return {**tags, **study.extra}

    def _uid(self, index: int) -> str:
        return uid(self.study.name, "event", "1" if self.dialect.same_event_uids else str(index))

    def _event_start(self, event: Event, index: int) -> list[Item]:
        items = []
        if not self.dialect.no_event_uids:
            items.append(self.uidref(("113769", "DCM", "Irradiation Event UID"), self._uid(index)))
        if "datetime_started" in event:
            items.append(self.datetime(("111526", "DCM", "DateTime Started"), str(event["datetime_started"])))
        for name, concept in (("acquisition_protocol", "125203"), ("comment", "121106")):
            if name in event and name not in self.dialect.omit:
                meaning = "Acquisition Protocol" if concept == "125203" else "Comment"
                items.append(self.text((concept, "DCM", meaning), str(event[name])))
        return items

    def _fields(self, event: Event, names: Sequence[str]) -> list[Item]:
        items = []
        for name in names:
            if name in self.dialect.omit or (name not in event and name not in self.dialect.empty):
                continue
            if name in _CODES:
                value = self.known(str(event.get(name, "")))
                if name == "irradiation_event_type" and value[2] == "Stationary Acquisition":
                    value = ("113611", "DCM", value[2])  # CT has another code of that name
                items.append(self.coded(_CODES[name], value))
                if name in self.dialect.empty:
                    items[-1]["ConceptCodeSequence"] = []
            elif name in _NUMBERS:
                items.append(self._number(event, name))
        return items

    def _number(self, event: Event, name: str) -> Item:
        concept, meaning, unit, factor = _NUMBERS[name]
        if self.dialect.time_in_113735 and concept == "113824":
            concept = "113735"
        value = None if name in self.dialect.empty else float(event[name]) * factor
        written = self.dialect.unreadable.get(name, "")
        if name == "kvp_kV" and self.dialect.kvp_values > 1 and value is not None:
            # Around the mean, which is the value expected.
            n = self.dialect.kvp_values
            written = "\\".join(f"{value + (i - (n - 1) / 2):g}" for i in range(n))
        return self.number((concept, "DCM", meaning), value, unit, written)

    def _source(self, event: Event, which: str) -> Item:
        one = {}
        for name in _IN_SOURCE:
            stem, _, unit = name.rpartition("_")
            if f"{stem}{which}_{unit}" in event:
                one[name] = event[f"{stem}{which}_{unit}"]
        label = self.text(("113832", "DCM", "Identification of the X-Ray Source"), "B" if which else "A")
        return self.container(
            ("113831", "DCM", "CT X-Ray Source Parameters"), [label, *self._fields(one, _IN_SOURCE)]
        )

    def _filters(self, event: Event) -> list[Item]:
        made = []
        for material, minimum, maximum in event.get("filters", ()):
            children = [
                self.value("113772", "X-Ray Filter Type", "Strip filter"),
                self.value("113757", "X-Ray Filter Material", material),
                self.number(("113758", "DCM", "X-Ray Filter Thickness Minimum"), minimum, "mm"),
                self.number(("113773", "DCM", "X-Ray Filter Thickness Maximum"), maximum, "mm"),
            ]
            made.append(self.container(("113771", "DCM", "X-Ray Filters"), children))
        return made

    def _dose_check(self, event: Event) -> list[Item]:
        items = []
        details = (
            ("113900", "Dose Check Alert Details", _IN_ALERT, "dose_check_alert_person"),
            ("113908", "Dose Check Notification Details", _IN_NOTIFICATION, "dose_check_notif_person"),
        )
        for concept, meaning, names, person in details:
            inner = self._fields(event, names)
            if person in event:
                inner.append(self.person(("113870", "DCM", "Person Name"), str(event[person])))
            if inner:
                items.append(self.container((concept, "DCM", meaning), inner))
        return items

    def _device(self) -> list[Item]:
        children = [
            self.text(("113878", "DCM", "Device Manufacturer"), self.study.manufacturer, "HAS PROPERTIES"),
            self.text(("113880", "DCM", "Device Serial Number"), self.study.serial, "HAS PROPERTIES"),
        ]
        role = self.known("Irradiating Device")
        return [self.coded(("113876", "DCM", "Device Role in Procedure"), role, children=children)]

    def _expected(self, event: Event, index: int) -> dict[str, Any]:
        """The event's fields as they should come out: translated, without what the dialect leaves out."""
        gone = {*self.dialect.omit, *self.dialect.empty, *self.dialect.unreadable, "filters", "modality"}
        expected = {
            name: self.dialect.meaning(value) if name in _CODES else value
            for name, value in event.items()
            if name not in gone
        }
        if not self.dialect.no_event_uids:
            expected["irradiation_event_uid"] = self._uid(index)
        return expected
