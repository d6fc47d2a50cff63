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

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from testbench.dose_concepts import (
    CODES,
    IMAGES,
    IN_ALERT,
    IN_CT_DOSE,
    IN_NOTIFICATION,
    IN_SOURCE,
    NUMBERS,
    PARAMETERS,
    TOTALS,
    VALUES,
)
from testbench.dose_dialects import DIALECTS
from testbench.sr_items import Dialect, Item, Writer, dicom_bytes, uid

__all__ = ["DIALECTS", "Dialect", "Report", "Study", "ct_report", "nuclear_report", "projection_report"]

Event = Mapping[str, Any]

DOSE_SR = "1.2.840.10008.5.1.4.1.1.88.67"
ENHANCED_SR = "1.2.840.10008.5.1.4.1.1.88.22"
NUCLEAR_SR = "1.2.840.10008.5.1.4.1.1.88.68"


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

    def differences(self, records: Sequence[Mapping[str, Any]]) -> list[str]:
        """How flat records, the study's first, differ from what the report says; numbers count to 1e-6."""
        wanted = [self.study, *self.events]
        found = [] if len(records) == len(wanted) else [f"{len(records)} records instead of {len(wanted)}"]
        for number, (record, expected) in enumerate(zip(records, wanted)):  # noqa: B905 - 3.9 has no strict
            for name, value in expected.items():
                got = record.get(name)
                if isinstance(value, float) and isinstance(got, (int, float)):
                    same = math.isclose(got, value, rel_tol=1e-6)
                else:
                    same = got == value
                if not same:
                    found.append(f"record {number}: {name} is {got!r} instead of {value!r}")
        return found

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
        value, scheme = VALUES.get(meaning, (meaning[:16], "99SYN"))
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
                ("113822", "DCM", "CT Acquisition Parameters"), [*self._fields(event, PARAMETERS), *sources]
            ),
        ]
        dose = [*self._fields(event, IN_CT_DOSE), *self._dose_check(event)]
        if dose:
            children.append(self.container(("113829", "DCM", "CT Dose"), dose))
        children.extend(self._device())
        return self.container(("113819", "DCM", "CT Acquisition"), children)

    def projection_event(self, event: Event, index: int) -> Item:
        children = [*self._fields(event, ("acquisition_plane",)), *self._event_start(event, index)]
        if "anatomical_structure" in event:
            side = self._fields(event, ("laterality",))
            structure = self.known(str(event["anatomical_structure"]))
            children.append(self.coded(CODES["anatomical_structure"], structure, children=side))
        codes = [
            name for name in CODES if name not in ("acquisition_plane", "anatomical_structure", "laterality")
        ]
        numbers = [name for name in NUMBERS if name not in ("kvp_kV", "percent_fibroglandular_tissue")]
        children += self._fields(event, codes)
        for _ in range(self.dialect.repeat_source):
            children += [*self._fields(event, ("kvp_kV",)), *self._filters(event)]
        children += self._fields(event, numbers)
        if "percent_fibroglandular_tissue" in event:
            inner = self._fields(event, ("percent_fibroglandular_tissue",))
            children.append(self.container(("111016", "DCM", "Mammography CAD Breast Composition"), inner))
        if event.get("modality") in IMAGES:
            image = uid(self.study.name, "image", str(index))
            children.append(self.image(("113795", "DCM", "Acquired Image"), IMAGES[event["modality"]], image))
        if self.dialect.private_items:
            children.append(self.number(("003", "99PHI-IXR-XPER", "Number of Frames"), 12, "1"))
        children.extend(self._device())
        return self.container(("113706", "DCM", "Irradiation Event X-Ray Data"), children)

    def administration(self, event: Event, index: int) -> Item:
        half_life = ("R-42806", "SRT", "Radionuclide Half Life")
        nuclide = self.coded(
            CODES["radionuclide"],
            self.known(str(event["radionuclide"])),
            "HAS PROPERTIES",
            [self.number(half_life, float(event["radionuclide_half_life_s"]), "s")],
        )
        agent = self.known(str(event["radiopharmaceutical_agent"]))
        children = [
            self.coded(CODES["radiopharmaceutical_agent"], agent, children=[nuclide]),
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
        for name, (concept, meaning, unit, factor) in TOTALS.items():
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
            if name in CODES:
                value = self.known(str(event.get(name, "")))
                if name == "irradiation_event_type" and value[2] == "Stationary Acquisition":
                    value = ("113611", "DCM", value[2])  # CT has another code of that name
                items.append(self.coded(CODES[name], value))
                if name in self.dialect.empty:
                    items[-1]["ConceptCodeSequence"] = []
            elif name in NUMBERS:
                items.append(self._number(event, name))
        return items

    def _number(self, event: Event, name: str) -> Item:
        concept, meaning, unit, factor = NUMBERS[name]
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
        for name in IN_SOURCE:
            stem, _, unit = name.rpartition("_")
            if f"{stem}{which}_{unit}" in event:
                one[name] = event[f"{stem}{which}_{unit}"]
        label = self.text(("113832", "DCM", "Identification of the X-Ray Source"), "B" if which else "A")
        return self.container(
            ("113831", "DCM", "CT X-Ray Source Parameters"), [label, *self._fields(one, IN_SOURCE)]
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
            ("113900", "Dose Check Alert Details", IN_ALERT, "dose_check_alert_person"),
            ("113908", "Dose Check Notification Details", IN_NOTIFICATION, "dose_check_notif_person"),
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
            name: self.dialect.meaning(value) if name in CODES else value
            for name, value in event.items()
            if name not in gone
        }
        if not self.dialect.no_event_uids:
            expected["irradiation_event_uid"] = self._uid(index)
        return expected
