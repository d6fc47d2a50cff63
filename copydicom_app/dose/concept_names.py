"""English names of the concepts that dose reports use (PS3.16, annex D), for items whose code is unknown.

A concept is known by its code. Only where a file gives a code that nobody knows, or none, its name is
looked up here; and docs/fields.md names the codes by it.
"""

from __future__ import annotations

from typing import Optional

from copydicom_app.codes import Code, Key, key

_NAMES = """
111031 Image View
111032 Image View Modifier
111046 Percent Fibroglandular Tissue
111526 DateTime Started
111631 Average Glandular Dose
111632 Anode Target Material
111633 Compression Thickness
111634 Half Value Layer
111635 X-Ray Grid
111636 Entrance Exposure at RP
111637 Accumulated Average Glandular Dose
111638 Patient Equivalent Thickness
111647 Compression Force
111648 Compression Pressure
111649 Compression Contact Area
112011 Positioner Primary Angle
112012 Positioner Secondary Angle
113500 Radiopharmaceutical Radiation Dose Report
113502 Radiopharmaceutical Administration
113503 Radiopharmaceutical Administration Event UID
113506 Estimated Extravasation Activity
113507 Administered activity
113508 Pre-Administration Measured Activity
113509 Post-Administration Measured Activity
113605 Irradiation Event Label
113701 X-Ray Radiation Dose Report
113702 Accumulated X-Ray Dose Data
113704 Projection X-Ray
113705 Scope of Accumulation
113706 Irradiation Event X-Ray Data
113721 Irradiation Event Type
113722 Dose Area Product Total
113725 Dose (RP) Total
113726 Fluoro Dose Area Product Total
113727 Acquisition Dose Area Product Total
113728 Fluoro Dose (RP) Total
113729 Acquisition Dose (RP) Total
113730 Total Fluoro Time
113731 Total Number of Radiographic Frames
113732 Fluoro Mode
113733 KVP
113734 X-Ray Tube Current
113735 Exposure Time
113736 Exposure
113737 Distance Source to Reference Point
113738 Dose (RP)
113739 Positioner Primary End Angle
113740 Positioner Secondary End Angle
113742 Irradiation Duration
113743 Patient Orientation
113744 Patient Orientation Modifier
113745 Patient Table Relationship
113748 Distance Source to Isocenter
113750 Distance Source to Detector
113751 Table Longitudinal Position
113752 Table Lateral Position
113753 Table Height Position
113754 Table Head Tilt Angle
113755 Table Horizontal Rotation Angle
113756 Table Cradle Tilt Angle
113757 X-Ray Filter Material
113758 X-Ray Filter Thickness Minimum
113759 Table Longitudinal End Position
113760 Table Lateral End Position
113761 Table Height End Position
113763 Calibration Uncertainty
113764 Acquisition Plane
113766 Focal Spot Size
113767 Average X-Ray Tube Current
113768 Number of Pulses
113769 Irradiation Event UID
113770 Column Angulation
113771 X-Ray Filters
113772 X-Ray Filter Type
113773 X-Ray Filter Thickness Maximum
113780 Reference Point Definition
113788 Collimated Field Height
113789 Collimated Field Width
113790 Collimated Field Area
113791 Pulse Rate
113792 Distance Source to Table Plane
113793 Pulse Width
113795 Acquired Image
113805 Constant Angle Acquisition
113809 Start of X-Ray Irradiation
113810 End of X-Ray Irradiation
113811 CT Accumulated Dose Data
113812 Total Number of Irradiation Events
113813 CT Dose Length Product Total
113814 CT Effective Dose Total
113819 CT Acquisition
113820 CT Acquisition Type
113822 CT Acquisition Parameters
113823 Number of X-Ray Sources
113824 Exposure Time
113825 Scanning Length
113826 Nominal Single Collimation Width
113827 Nominal Total Collimation Width
113828 Pitch Factor
113829 CT Dose
113830 Mean CTDIvol
113831 CT X-Ray Source Parameters
113832 Identification of the X-Ray Source
113833 Maximum X-Ray Tube Current
113834 Exposure Time per Rotation
113835 CTDIw Phantom Type
113837 Mean CTDIfreeair
113838 DLP
113839 Effective Dose
113840 Effective Dose Conversion Factor
113842 X-Ray Modulation Type
113845 Exposure Index
113846 Target Exposure Index
113847 Deviation Index
113854 Source of Dose Information
113855 Total Acquisition Time
113870 Person Name
113876 Device Role in Procedure
113877 Device Name
113878 Device Manufacturer
113879 Device Model Name
113880 Device Serial Number
113893 Length of Reconstructable Volume
113899 Exposed Range
113900 Dose Check Alert Details
113901 DLP Alert Value Configured
113902 CTDIvol Alert Value Configured
113903 DLP Alert Value
113904 CTDIvol Alert Value
113905 Accumulated DLP Forward Estimate
113906 Accumulated CTDIvol Forward Estimate
113907 Reason for Proceeding
113908 Dose Check Notification Details
113909 DLP Notification Value Configured
113910 CTDIvol Notification Value Configured
113911 DLP Notification Value
113912 CTDIvol Notification Value
113913 DLP Forward Estimate
113914 CTDIvol Forward Estimate
113930 Size Specific Dose Estimate
113931 Measured Lateral Dimension
113932 Measured AP Dimension
113933 Derived Effective Diameter
113943 X-Ray Source Data Available
113944 X-Ray Mechanical Data Available
113945 X-Ray Detector Data Available
113956 CR/DR Mechanical Configuration
113980 Water Equivalent Diameter
121012 Device Observer UID
121013 Device Observer Name
121014 Device Observer Manufacturer
121015 Device Observer Model Name
121016 Device Observer Serial Number
121017 Device Observer Physical Location During Observation
121058 Procedure reported
121106 Comment
122130 Dose Area Product
122142 Acquisition Device Type
122322 Calibration Factor
123003 Radiopharmaceutical Start DateTime
123004 Radiopharmaceutical Stop DateTime
123005 Radiopharmaceutical Volume
123007 Radiopharmaceutical Specific Activity
123014 Target Region
125203 Acquisition Protocol
128551 Is Repeated Acquisition
SCT:349358000 Radiopharmaceutical agent
SCT:89457008 Radionuclide
SCT:304283002 Radionuclide Half Life
SCT:410675002 Route of administration
SCT:363703001 Has Intent
SCT:363589002 Associated Procedure
SCT:91723000 Anatomical structure
SCT:272741003 Laterality
SCT:408730004 Procedure Context
LN:14749-6 Glucose
LN:29463-7 Patient Weight
LN:8302-2 Patient Height
"""

NAMES: dict[Key, str] = {
    key(code): name for code, _, name in (line.partition(" ") for line in _NAMES.split("\n") if line)
}


def known_by_name(code: Code) -> Optional[Key]:
    """The concept that has this code's meaning as its name; None when there is none.

    >>> known_by_name(Code("77", "99ACME", "KVP"))
    Key(scheme='DCM', value='113733')
    """
    return _BY_NAME.get(_plain(code.meaning))


def _plain(name: str) -> str:
    return "".join(filter(str.isalnum, name.casefold()))


_BY_NAME = {_plain(name): code for code, name in reversed(list(NAMES.items()))}
