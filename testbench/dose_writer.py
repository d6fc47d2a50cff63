"""The content of synthetic dose reports: the items of each template, from fields of `dicom:dose:event`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
from testbench.dose_study import Study
from testbench.sr_items import Dialect, Item, Writer, uid

Event = Mapping[str, Any]


class ReportWriter(Writer):
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
            image = str(event.get("image_uid") or uid(self.study.name, "image", str(index)))
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
            self.uidref(
                ("113503", "DCM", "Radiopharmaceutical Administration Event UID"),
                self.event_uid(event, index),
            ),
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

    def event_uid(self, event: Event, index: int) -> str:
        """The event's own UID, else one made of the study's name."""
        own = uid(self.study.name, "event", "1" if self.dialect.same_event_uids else str(index))
        return str(event.get("irradiation_event_uid", own))

    def _event_start(self, event: Event, index: int) -> list[Item]:
        items = []
        if not self.dialect.no_event_uids:
            items.append(
                self.uidref(("113769", "DCM", "Irradiation Event UID"), self.event_uid(event, index))
            )
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
            reason = person.replace("person", "reason")
            if reason in event:
                inner.append(self.text(("113907", "DCM", "Reason for Proceeding"), str(event[reason])))
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
