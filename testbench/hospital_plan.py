"""Who is examined, on what and when: the tables from which sample_data makes its files.

The names are what a dashboard groups by, so the same examination has the same names each time. The patients
have names in four scripts and four character sets; none of them ever lived.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

_LATIN_1, _UTF_8, _JAPANESE = "ISO_IR 100", "ISO_IR 192", ["", "ISO 2022 IR 87"]
FIRST_DAY = date(2026, 9, 7)
DOSE_SERIES = "Dose Record"
# What the hospital holds: for a demo's report and a test's comparison. OT is a screenshot, SR a dose report.
INSTANCES_BY_MODALITY = {"CT": 250, "MR": 104, "CR": 8, "DX": 3, "MG": 20, "XA": 19, "OT": 1, "SR": 37}


@dataclass(frozen=True)
class Scanner:
    modality: str
    station: str
    manufacturer: str
    model: str
    serial: str
    software: str
    offset: str = ""  # TimezoneOffsetFromUTC, where the machine writes it
    dialect: str = ""  # how it writes dose reports (dose_dialects); most send none
    dose: float = 1.0  # its dose compared with that of others for the same examination


@dataclass(frozen=True)
class Patient:
    name: str
    sex: str
    born: str
    weight: float  # kg
    size: float  # m
    charset: str | list[str] | None = None


@dataclass(frozen=True)
class Study:
    """One visit: ``day`` counts from the first; None where the files tell no date at all."""

    day: int | None
    at: str
    patient: int
    scanner: str
    examination: str
    more: str = ""  # an oddity added to it, by its name in hospital_oddities
    dose: str = ""  # what is unusual in its dose or its report: see hospital_dose and hospital_reports


SCANNERS = {
    scanner.station: scanner
    for scanner in (
        Scanner("CT", "CTER", "SIEMENS", "SOMATOM Force", "75801", "syngo CT VB20A", "+0200", "siemens_ct"),
        Scanner(
            "CT", "CT02", "GE MEDICAL SYSTEMS", "Revolution CT", "413002", "revo_ct_21b.31", "", "ge_ct", 1.25
        ),
        Scanner(
            "CT", "CT03", "CANON MEDICAL SYSTEMS", "Aquilion ONE", "2CA1862", "V10.9", "", "toshiba_ct", 0.97
        ),
        Scanner("MR", "MR01", "SIEMENS", "MAGNETOM Skyra", "145121", "syngo MR XA30", "+0200"),
        Scanner("MR", "MR02", "Philips Medical Systems", "Ingenia", "42113", "5.7.1"),
        Scanner("MR", "MR03", "GE MEDICAL SYSTEMS", "SIGNA Premier", "MR88123", "30.0_R01"),
        Scanner("CR", "CR01", "FUJIFILM Corporation", "FCR Profect", "56880411", "A12-08"),
        Scanner("CR", "CRMOB", "Carestream Health", "DRX-Revolution", "K60013", "5.7.417.1"),
        Scanner("MG", "MG01", "HOLOGIC, Inc.", "Selenia Dimensions", "81007180", "1.10.0.168", "", "hologic"),
        Scanner(
            "MG",
            "MG02",
            "GE MEDICAL SYSTEMS",
            "Senographe Pristina",
            "BUC0147",
            "ADS 59.2",
            "",
            "pristina",
            0.85,
        ),
        Scanner(
            "XA", "XA01", "Philips Medical Systems", "Azurion 7 M20", "722079", "2.2.3", "", "philips_xa"
        ),
        Scanner(
            "XA", "XA02", "SIEMENS", "ARTIS icono biplane", "164042", "VE20C", "+0200", "siemens_xa", 1.15
        ),
        Scanner("DX", "DX01", "SIEMENS", "Ysio Max", "11427", "VF10G", "+0200"),
    )
}

PATIENTS = (
    Patient("Miller^Ruth", "F", "19520314", 68, 1.64),
    Patient("Müller^Jürgen", "M", "19480722", 91, 1.78, _LATIN_1),
    Patient("Ångström^Åsa", "F", "19810509", 61, 1.71, _LATIN_1),
    Patient("Łukasiewicz^Żaneta", "F", "19740130", 72, 1.66, _UTF_8),
    Patient("Παπαδόπουλος^Γιώργος", "M", "19591111", 84, 1.74, _UTF_8),
    Patient("Yamada^Tarou=山田^太郎=やまだ^たろう", "M", "19660417", 64, 1.68, _JAPANESE),
    Patient("Suzuki^Hanako=鈴木^花子=すずき^はなこ", "F", "19770803", 52, 1.57, _JAPANESE),
    Patient("O'Neil^Patrick^James", "M", "19390226", 77, 1.72),
    Patient("Okafor^Adaeze", "F", "19900612", 58, 1.65),
    Patient("Peñalosa^José María", "M", "19831005", 102, 1.83, _LATIN_1),
    Patient("Smith^John", "M", "19551219", 80, 1.76),
    Patient("Smith^John", "M", "20170401", 27, 1.28),  # a namesake, and a child
    Patient("Иванова^Ольга", "F", "19690915", 70, 1.62, _UTF_8),
    Patient("van der Berg^Els", "F", "19450808", 59, 1.60),
    Patient("Haddad^Samir", "M", "19720227", 88, 1.80),
    Patient("Fernández^Lucía", "F", "19980318", 55, 1.63, _LATIN_1),
    Patient("Brown^Mary^^Dr.", "F", "19600702", 74, 1.67),
    Patient("Unknown^Trauma 17", "O", "", 75, 1.75),
    Patient("Rossi^Giulia", "F", "20220216", 17.5, 1.06),
    Patient("Nguyen^Minh", "M", "20120903", 46, 1.58),
    Patient("Test^Object", "O", "", 75, 1.75),
)

# The unusual: a repeated scan, one CT at three times the usual dose, an intervention above 2 Gy, and two of
# one patient that are so together; reports that are cumulative or continued, a dose check notification, a
# report with numbers that nobody can read; a phantom; one protocol in three spellings.
STUDIES = (
    Study(0, "08:12:05", 0, "CTER", "head"),
    Study(0, "09:40:31", 1, "CT02", "trunk"),
    Study(1, "07:55:10", 5, "MR01", "brain", "multiframe"),
    Study(1, "10:02:44", 2, "MG01", "mammogram"),
    Study(2, "11:20:00", 7, "CRMOB", "bedside"),
    Study(2, "14:31:16", 16, "CTER", "trunk"),
    Study(3, "13:05:27", 10, "XA01", "coronary"),
    Study(4, "08:30:19", 4, "CT02", "screening"),
    Study(7, "09:15:33", 6, "CR01", "chest"),
    Study(8, "10:10:10", 3, "MG02", "mammogram"),
    Study(8, "12:25:09", 13, "CT03", "head"),
    Study(9, "16:20:48", 9, "CTER", "trunk", "private", dose="notified"),
    Study(10, "08:05:56", 12, "MR03", "brain"),
    Study(10, "11:41:22", 13, "DX01", "pelvis"),
    Study(11, "23:56:41", 11, "CTER", "head"),  # runs over midnight
    Study(14, "12:34:56", 14, "XA02", "coronary"),
    Study(15, "09:00:00", 13, "CT03", "embolism"),
    Study(16, "10:45:12", 15, "MR02", "knee"),
    Study(17, "08:20:37", 16, "MG01", "mammogram"),
    Study(17, "16:03:58", 3, "CT02", "trunk"),
    Study(18, "14:14:14", 1, "CR01", "chest", "screenshot"),
    Study(18, "19:22:30", 18, "CTER", "head"),
    Study(21, "07:50:25", 10, "CT02", "screening"),
    Study(22, "09:48:11", 12, "CT03", "trunk", dose="tripled"),
    Study(22, "11:31:08", 0, "MR02", "spine"),
    Study(23, "13:13:59", 5, "XA01", "coronary", dose="continued"),
    Study(24, "09:26:40", 6, "MG02", "mammogram"),
    Study(24, "17:37:45", 19, "CT02", "trunk"),
    Study(25, "03:02:15", 7, "CRMOB", "bedside"),
    Study(25, "10:19:27", 4, "CTER", "liver", dose="cumulative"),
    Study(28, "10:55:23", 9, "DX01", "pelvis"),
    Study(29, "08:44:02", 7, "CT03", "embolism", dose="repeated"),
    Study(30, "13:30:45", 9, "XA02", "aneurysm"),
    Study(31, "09:09:09", 14, "CT03", "trunk", dose="unreadable"),
    Study(32, "10:00:30", 11, "DX01", "abdomen"),
    Study(35, "08:18:18", 8, "MG01", "mammogram"),
    Study(36, "11:11:47", 2, "MR01", "brain"),
    Study(36, "15:52:36", 15, "CT03", "head"),
    Study(None, "", 17, "CRMOB", "chest"),
    Study(12, "09:31:20", 0, "CTER", "followup"),
    Study(15, "13:48:02", 16, "CT03", "followup-west"),
    Study(19, "10:07:55", 12, "CTER", "followup"),
    Study(26, "08:52:41", 10, "CTER", "followup"),
    Study(31, "15:16:17", 8, "CT03", "followup-west"),
    Study(33, "11:26:30", 5, "CT03", "followup-west"),
    Study(26, "12:01:00", 14, "XA02", "stent"),
    Study(37, "08:40:35", 14, "XA02", "stent"),
    Study(28, "06:45:00", 20, "CTER", "phantom"),
)
