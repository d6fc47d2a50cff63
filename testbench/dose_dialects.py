"""How vendors write dose reports: one dialect for each way in which real reports surprise.

Each is named after the machines that it was seen on; none holds anything of a real report.
"""

from __future__ import annotations

from testbench.sr_items import Dialect

_GERMAN = {
    "X-Ray Radiation Dose Report": "Strahlendosisbericht",
    "Computed Tomography X-Ray": "Computertomographie",
    "CT Acquisition": "CT-Aufnahme",
    "CT Acquisition Type": "CT-Aufnahmeart",
    "Spiral Acquisition": "Spiralaufnahme",
    "Constant Angle Acquisition": "Topogramm",
    "Mean CTDIvol": "Mittlerer CTDIvol",
    "Target Region": "Zielregion",
    "Chest": "Thorax",
    "Abdomen": "Bauch",
    "IEC Body Dosimetry Phantom": "IEC-Körperphantom",
    "Yes": "Ja",
    "Fluoroscopy": "Durchleuchtung",
}

DIALECTS = {
    dialect.name: dialect
    for dialect in (
        Dialect(),
        Dialect(name="sct", sct=True),
        Dialect(name="german", meanings=_GERMAN, suffix=" (dt.)"),
        Dialect(
            name="ge_ct",
            enhanced_sr=True,
            units={"mGy.cm": ("mGycm", 1.0), "{X-Ray sources}": ("X-ray sources", 1.0)},
            omit=("acquisition_protocol",),
        ),
        Dialect(
            name="ge_surgery",
            uids_as_text=True,
            empty=("primary_angle_deg", "secondary_angle_deg"),
            zone="UTC-04:00",
        ),
        Dialect(name="ge_oec", no_template=True),
        Dialect(name="pristina", repeat_source=10),
        Dialect(name="siemens_ct", units={"mGy.cm": ("mGycm", 1.0)}, zone="+0000"),
        Dialect(name="siemens_xa", units={"Gy.m2": ("Gym2", 1.0), "uA.s": ("uAs", 1.0)}, time_in_113735=True),
        Dialect(name="philips_ct", empty=("target_region",)),
        Dialect(name="philips_xa", private_items=True, omit=("acquisition_protocol",)),
        Dialect(name="toshiba_ct", person_type="PERSON NAME", no_relationships=True),
        Dialect(name="canon_rf", units={"Gy.m2": ("dGy.cm2", 1e5), "Gy": ("mGy", 1e3)}, ucum_scheme="UCM"),
        Dialect(name="canon_dx", empty=("exposure_index", "dap_Gycm2")),
        Dialect(name="eurocolumbus", kvp_values=22),
        Dialect(name="giotto", miscoded={"111632": "113632"}),
        Dialect(name="hologic", miscoded={"113945": "113745"}, srt_scheme="SNM3"),
        Dialect(name="spectrum", title="X-ray Radiation Dose Report"),
        Dialect(name="carestream", reverse_events=True),
        Dialect(name="repeated_uids", same_event_uids=True),
        Dialect(name="no_uids", no_event_uids=True),
        Dialect(name="unreadable", unreadable={"kvp_kV": "10.50/ 15.00"}),
        Dialect(name="unknown_unit", units={"mGy": ("R", 0.1)}),
    )
}
