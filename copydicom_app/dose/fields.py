"""The fields of dose events: one table, from which the flattener works and docs/fields.md is made.

Codes are DCM unless their scheme is named; several mean "the first of these that is there". Templates
are those of PS3.16. How a value is found:

- ``tag X Y``: the first DICOM keyword of the instance that has a value;
- ``text``, ``code``, ``time``: the item's value; its code (SNOMED CT where mapped); an ISO 8601 moment;
- ``num``: a number in the field's unit; ``ct`` and ``proj`` before it: in such events only;
- ``src``, ``srcb``: a number of a CT event's first or second X-ray source;
- ``total``, ``plane a``, ``plane b``: of the accumulated dose, all planes or one;
- ``last``: as text, behind all others, because it is bulky;
- ``-``: its own rule, in `dose.py` and the modules beside it.
"""

# ruff: noqa: E501 - a row of the table is a line

from __future__ import annotations

from typing import NamedTuple

from copydicom_app.codes import Key, key

_TABLE = """
# record | field | type | unit | codes or tags | TID | how | example | note
both | record_type | string | | | | - | event | `study` or `event`
both | app_version | string | | | | - | 1.0.0 | of this app; the latest _indextime wins when numbers change
both | orthanc_server | string | | | | - | main | server stanza
both | ID | string | | | | - | 0eb1c3b4-... | Orthanc id of the report (or image) instance
both | ParentSeries | string | | | | - | 8ad2e0f1-... | Orthanc id
both | ParentStudy | string | | | | - | 27f7126f-... | Orthanc id
both | ParentPatient | string | | | | - | 6816cb19-... | Orthanc id
both | dose_source | string | | | | - | report | `report` or `image`
both | time_source | string | | | | - | datetime_started | which date gave _time
both | timezone_offset | string | | (0008,0201) | | - | +01:00 | zone that the file names; moments hold the clock without it
both | dose_warnings | string | | | | - | KVP: no value | what could not be read or was repaired; list, absent when empty
both | study_instance_uid | string | | (0020,000D) | | tag StudyInstanceUID | 1.2.840... | join key; never deduplicate on accession
both | series_instance_uid | string | | (0020,000E) | | tag SeriesInstanceUID | 1.2.840... |
both | sop_instance_uid | string | | (0008,0018) | | tag SOPInstanceUID | 1.2.840... | identity of the report
both | accession_number | string | | (0008,0050) | | tag AccessionNumber | A1002003 | may be blank or shared
both | study_id | string | | (0020,0010) | | tag StudyID | 42 |
both | study_date | string | | (0008,0020) | | - | 2020-01-31 | ISO 8601
both | study_time | string | | (0008,0030) | | - | 10:11:12.5 | ISO 8601, fraction kept
both | study_description | string | | (0008,1030) | | tag StudyDescription | CT thorax |
both | series_description | string | | (0008,103E) | | tag SeriesDescription | Dose Report |
both | requested_procedure | string | | (0032,1060) else (0040,0275) | | - | CT chest with contrast |
both | patient_id | string | | (0010,0020) | | tag PatientID | 00123 | subject to phi
both | patient_sex | string | | (0010,0040) | | tag PatientSex | F |
both | patient_age | string | | (0010,1010) | | tag PatientAge | 067Y | as written
both | modality | string | | derived | | - | CT | CT RF XA DX MG NM PT; see above
both | manufacturer | string | | (0008,0070) else 121014 | | tag Manufacturer | Siemens |
both | manufacturer_model | string | | (0008,1090) else 121015 | | tag ManufacturerModelName | Artis |
both | station_name | string | | (0008,1010) else 121013 | | tag StationName | CT01 | else the serial number, else 121012
both | device_serial_number | string | | (0018,1000) else 121016 | | tag DeviceSerialNumber | 73491 |
both | software_versions | string | | (0018,1020) | | tag SoftwareVersions | VC21C |
both | device_observer_uid | string | | 121012 | 1004 | text | 1.3.12... | may be typed TEXT; may change per study
both | device_observer_name | string | | 121013 | 1004 | text | CT01 |
both | device_observer_manufacturer | string | | 121014 | 1004 | text | Siemens |
both | device_observer_model | string | | 121015 | 1004 | text | Artis |
both | device_observer_serial | string | | 121016 | 1004 | text | 73491 |
both | device_observer_location | string | | 121017 | 1004 | text | Room 3 |
both | institution_name | string | | (0008,0080) | | tag InstitutionName | City Hospital |
both | institutional_department_name | string | | (0008,1040) | | tag InstitutionalDepartmentName | Radiology |
both | performing_physician_name | string | | (0008,1050) | | tag PerformingPhysicianName | Doe^Jane | subject to phi
both | operator_name | string | | (0008,1070) | | tag OperatorsName | Roe^Richard | subject to phi
both | patient_age_years | number | a | (0010,0030) else (0010,1010) | | - | 67.6 | at the study; the birth date is finer
both | patient_weight_kg | number | kg | (0010,1030) else LN:29463-7 | 10024 | - | 78.2 | absent when 0
both | patient_size_m | number | m | (0010,1020) else LN:8302-2 | 10024 | - | 1.64 | absent when 0
both | body_mass_index | number | kg/m2 | derived | | - | 29.07 | weight / size squared
study | procedure_reported | string | | 121058 else SCT:363589002 | 10001/10011/10021 | text | Mammography | meaning
study | procedure_reported_code | string | | 121058 else SCT:363589002 | 10001/10011/10021 | code | 71651007 |
study | has_intent | string | | SCT:363703001 | 10001/10011/10021 | text | Diagnostic Intent | child of procedure reported
study | scope_of_accumulation | string | | 113705 | 10001/10011 | text | Study | says whether totals can be summed
study | source_of_dose_information | string | | 113854 | 10001/10011 | text | Dosimeter |
study | irradiation_start | string | | 113809 | 10011 | time | 2020-01-31T10:11:12 | also in events that have no start of their own
study | irradiation_end | string | | 113810 | 10011 | time | 2020-01-31T10:14:12 |
study | xray_detector_data_available | string | | 113945 else 113745 | 10001 | text | Yes | Hologic miscodes it as 113745
study | xray_source_data_available | string | | 113943 | 10001 | text | Yes |
study | xray_mechanical_data_available | string | | 113944 | 10001 | text | Yes |
study | reference_point_definition | string | | 113780 | 10007 | text | 15cm from Isocenter toward Source |
study | n_events | number | 1 | derived | | - | 6 | distinct events in the report
study | n_events_reported | number | 1 | 113812 | 10012 | total | 6 | as the report says
study | n_planes | number | 1 | 113764 | 10002 | - | 2 | planes with accumulated dose
study | n_spiral | number | 1 | 113820 | 10013 | - | 2 | CT events of that acquisition type
study | n_sequenced | number | 1 | 113820 | 10013 | - | 0 |
study | n_stationary | number | 1 | 113820 | 10013 | - | 0 |
study | n_constant_angle | number | 1 | 113820 | 10013 | - | 4 | localizers
study | n_free | number | 1 | 113820 | 10013 | - | 0 |
study | total_dlp_mGycm | number | mGy.cm | 113813 | 10012 | total | 415.82 | as the report says; may differ from the sum of events
study | max_ctdivol_mGy | number | mGy | derived | | - | 9.91 | over events that are no localizer
study | total_dap_Gycm2 | number | Gy.cm2 | 113722 else 99SMS_RADSUM:C-204 | 10007 | total | 2.79 | all planes
study | total_rp_dose_mGy | number | mGy | 113725 | 10007 | total | 14.06 | all planes
study | fluoro_dap_Gycm2 | number | Gy.cm2 | 113726 | 10004 | total | 0.87 |
study | fluoro_rp_dose_mGy | number | mGy | 113728 | 10004 | total | 3.86 |
study | acq_dap_Gycm2 | number | Gy.cm2 | 113727 | 10004 | total | 1.92 |
study | acq_rp_dose_mGy | number | mGy | 113729 | 10004 | total | 10.2 |
study | total_fluoro_time_s | number | s | 113730 else 99SMS_RADSUM:C-202 | 10004 | total | 74 |
study | total_acq_time_s | number | s | 113855 | 10004 | total | 11 |
study | n_radiographic_frames | number | 1 | 113731 else 99SMS_RADSUM:C-200 | 10006/10007 | total | 15 |
study | total_agd_left_mGy | number | mGy | 111637 with SCT:272741003 | 10005 | - | 1.3 | laterality is a child of the NUM item
study | total_agd_right_mGy | number | mGy | 111637 with SCT:272741003 | 10005 | - | 1.28 |
study | total_agd_both_mGy | number | mGy | 111637 with SCT:272741003 | 10005 | - | 2.58 |
study | plane_a_dap_Gycm2 | number | Gy.cm2 | 113722 | 10002/10007 | plane a | 0.078 | plane 113620
study | plane_a_rp_dose_mGy | number | mGy | 113725 | 10002/10007 | plane a | 0.71 | plane 113620
study | plane_a_fluoro_dap_Gycm2 | number | Gy.cm2 | 113726 | 10002/10004 | plane a | 0.03 | plane 113620
study | plane_a_fluoro_rp_dose_mGy | number | mGy | 113728 | 10002/10004 | plane a | 0.41 | plane 113620
study | plane_a_acq_dap_Gycm2 | number | Gy.cm2 | 113727 | 10002/10004 | plane a | 0.048 | plane 113620
study | plane_a_acq_rp_dose_mGy | number | mGy | 113729 | 10002/10004 | plane a | 0.3 | plane 113620
study | plane_a_fluoro_time_s | number | s | 113730 | 10002/10004 | plane a | 37 | plane 113620
study | plane_a_acq_time_s | number | s | 113855 | 10002/10004 | plane a | 11 | plane 113620
study | plane_b_dap_Gycm2 | number | Gy.cm2 | 113722 | 10002/10007 | plane b | 0.01 | plane 113621
study | plane_b_rp_dose_mGy | number | mGy | 113725 | 10002/10007 | plane b | 0.1 | plane 113621
study | plane_b_fluoro_dap_Gycm2 | number | Gy.cm2 | 113726 | 10002/10004 | plane b | 0.01 | plane 113621
study | plane_b_fluoro_rp_dose_mGy | number | mGy | 113728 | 10002/10004 | plane b | 0.1 | plane 113621
study | plane_b_acq_dap_Gycm2 | number | Gy.cm2 | 113727 | 10002/10004 | plane b | 0 | plane 113621
study | plane_b_acq_rp_dose_mGy | number | mGy | 113729 | 10002/10004 | plane b | 0 | plane 113621
study | plane_b_fluoro_time_s | number | s | 113730 | 10002/10004 | plane b | 12 | plane 113621
study | plane_b_acq_time_s | number | s | 113855 | 10002/10004 | plane b | 0 | plane 113621
study | total_effective_dose_mSv | number | mSv | 113814 | 10012 | total | 4.2 | CT, where the scanner estimates it
study | calibration_factor | number | 1 | 122322 | 10002 | total | 1 | of the dose meter; several: mean
study | calibration_uncertainty_pct | number | % | 113763 | 10002 | total | 5 |
study | acquisition_device_type | string | | 122142 | 10001 | text | Integrated Projection Radiography System |
both | completion_flag | string | | (0040,A491) | | tag CompletionFlag | COMPLETE | PARTIAL: the study went on
study | report_title | string | | (0040,A043) | | - | X-Ray Radiation Dose Report |
event | irradiation_event_uid | string | | 113769 else 113503 | 10003/10013/10022 | text | 1.2.840... |
event | event_key | string | | derived | | - | 1.2.840...#2 | the uid; `uid#k` for a repeat; `<sop uid>#<index>` without one
event | datetime_started | string | | 111526 | 10003/10013 | time | 2020-01-31T10:11:12 |
event | acquisition_protocol | string | | 125203 | 10003/10013 | text | Thorax | absent in GE CT
event | comment | string | | 121106 | 10003/10013 | last | breath hold | at most 1,000 characters; of the study too; subject to phi, since Siemens names the physician in it
event | ct_acquisition_type | string | | 113820 | 10013 | text | Spiral Acquisition |
event | ct_acquisition_type_code | string | | 113820 | 10013 | code | 116152004 |
event | irradiation_event_type | string | | 113721 | 10003 | text | Fluoroscopy | SCT 44491008, DCM 113611-113613
event | irradiation_event_type_code | string | | 113721 | 10003 | code | 44491008 |
event | acquisition_plane | string | | 113764 | 10003 | text | Plane A |
event | target_region | string | | 123014 | 10003/10013 | text | Chest | may be empty
event | target_region_code | string | | 123014 | 10003/10013 | code | 51185008 |
event | anatomical_structure | string | | SCT:91723000 | 10003 | text | Breast |
event | laterality | string | | SCT:272741003 | 10003 | text | Left | child of the structure or the region
event | image_view | string | | 111031 | 10003 | text | cranio-caudal |
event | image_view_modifier | string | | 111032 | 10003 | text | Implant Displaced |
event | procedure_context | string | | SCT:408730004 | 10013 | text | CT without contrast |
event | ctdiw_phantom_type | string | | 113835 | 10013 | text | IEC Body Dosimetry Phantom | 113690 head, 113691 body
event | reference_point_definition | string | | 113780 | 10003/10003B | text | 15cm from Isocenter toward Source |
event | reference_point_definition_code | string | | 113780 | 10003/10003B | code | 113860 |
event | fluoro_mode | string | | 113732 | 10003B | text | Pulsed |
event | filter_type | string | | 113772 | 10003B | - | Strip filter | first filter
event | filter_material | string | | 113757 | 10003B | - | Copper or Copper compound | joined with + when several
event | anode_target_material | string | | 111632 else 113632 | 10003B | text | Tungsten or Tungsten compound | Giotto miscodes it
event | xray_grid | string | | 111635 | 10003B | text | Focused grid |
event | xray_grid_code | string | | 111635 | 10003B | code | 111642 |
event | patient_table_relationship | string | | 113745 | 10003 | text | headfirst | else from a Siemens comment
event | patient_table_relationship_code | string | | 113745 | 10003 | code | 102540008 |
event | patient_orientation | string | | 113743 | 10003 | text | recumbent |
event | patient_orientation_code | string | | 113743 | 10003 | code | 102538003 |
event | patient_orientation_modifier | string | | 113744 | 10003 | text | supine |
event | crdr_mechanical_configuration | string | | 113956 | 10003C | text | Upright Stand Mount |
event | event_device_name | string | | 113877 else 121013 | 1021 | text | CT01 | device participant of the event
event | event_device_manufacturer | string | | 113878 else 121014 | 1021 | text | Siemens |
event | event_device_model | string | | 113879 else 121015 | 1021 | text | Artis |
event | event_device_serial | string | | 113880 else 121016 | 1021 | text | 73491 |
event | event_device_role | string | | 113876 | 1021 | text | Irradiating Device |
event | dose_check_dlp_alert_configured | string | | 113901 | 10015 | text | Yes |
event | dose_check_ctdivol_alert_configured | string | | 113902 | 10015 | text | Yes |
event | dose_check_dlp_notif_configured | string | | 113909 | 10015 | text | No |
event | dose_check_ctdivol_notif_configured | string | | 113910 | 10015 | text | No |
event | dose_check_alert_person | string | | 113870 | 10015/1020 | - | Roe^Richard | subject to phi
event | dose_check_alert_reason | string | | 113907 | 10015 | - | large patient | reason for proceeding
event | dose_check_notif_person | string | | 113870 | 10015/1020 | - | Roe^Richard | subject to phi
event | dose_check_notif_reason | string | | 113907 | 10015 | - | large patient | reason for proceeding
event | radiopharmaceutical_agent | string | | SCT:349358000 | 10022 | text | Fluorodeoxyglucose F^18^ | SRT F-61FDB
event | radionuclide | string | | SCT:89457008 | 10022 | text | ^18^Fluorine | SRT C-10072
event | radionuclide_code | string | | SCT:89457008 | 10022 | code | 77004003 |
event | route_of_administration | string | | SCT:410675002 | 10022 | text | Intravenous route |
event | administration_start | string | | 123003 | 10022 | time | 2020-01-31T10:11:12 |
event | administration_stop | string | | 123004 | 10022 | time | 2020-01-31T10:11:42 |
event | is_localizer | bool | | 113820 = 113805 | 10013 | - | true | exclude from CTDI and DLP statistics
event | event_index | number | 1 | derived | | - | 1 | order in the report, from 1
event | ctdivol_mGy | number | mGy | 113830 | 10013 | num | 9.91 | absent when CT Dose is missing, never 0
event | dlp_mGycm | number | mGy.cm | 113838 | 10013 | num | 708.2 |
event | phantom_cm | number | cm | 113835 | 10013 | - | 32 | 16 or 32; never compare CTDIvol across phantoms
event | ssde_mGy | number | mGy | 113930 | 10013 | num | 12.4 |
event | wed_mm | number | mm | 113980 | 10013 | num | 287 | water equivalent diameter
event | effective_diameter_mm | number | mm | 113933 | 10013 | num | 301 |
event | exposure_time_s | number | s | 113824 else 113735 | 10013 | ct num | 16.01 | CT
event | exposure_time_ms | number | ms | 113735 else 113824 | 10003B | proj num | 854 | projection; else pulses times their width
event | scanning_length_mm | number | mm | 113825 | 10014 | num | 737 |
event | exposed_range_mm | number | mm | 113899 | 10014 | num | 760 |
event | reconstructable_volume_length_mm | number | mm | 113893 | 10014 | num | 720 |
event | nominal_single_collimation_mm | number | mm | 113826 | 10013 | num | 0.6 |
event | nominal_total_collimation_mm | number | mm | 113827 | 10013 | num | 38.4 |
event | pitch_factor | number | 1 | 113828 | 10013 | num | 0.6 |
event | n_xray_sources | number | 1 | 113823 | 10013 | num | 2 |
event | kvp_kV | number | kV | 113733 | 10003B/10013 | src | 120 | first source; repeats: mean, and `kvp_kV_n`
event | kvp_b_kV | number | kV | 113733 | 10013 | srcb | 140 | second source
event | xray_tube_current_mA | number | mA | 113734 | 10003B/10013 | src | 176 |
event | xray_tube_current_b_mA | number | mA | 113734 | 10013 | srcb | 90 | second source
event | max_xray_tube_current_mA | number | mA | 113833 | 10013 | src | 560 |
event | max_xray_tube_current_b_mA | number | mA | 113833 | 10013 | srcb | 280 | second source
event | avg_xray_tube_current_mA | number | mA | 113767 | 10003B | proj num | 100 | else the mean of xray_tube_current_mA
event | exposure_time_per_rotation_s | number | s | 113834 | 10013 | src | 0.5 |
event | exposure_time_per_rotation_b_s | number | s | 113834 | 10013 | srcb | 0.5 | second source
event | dose_check_dlp_alert_value_mGycm | number | mGy.cm | 113903 | 10015 | num | 2000 |
event | dose_check_ctdivol_alert_value_mGy | number | mGy | 113904 | 10015 | num | 1000 |
event | dose_check_accum_dlp_fwd_mGycm | number | mGy.cm | 113905 | 10015 | num | 2100 |
event | dose_check_accum_ctdivol_fwd_mGy | number | mGy | 113906 | 10015 | num | 1050 |
event | dose_check_dlp_notif_value_mGycm | number | mGy.cm | 113911 | 10015 | num | 900 |
event | dose_check_ctdivol_notif_value_mGy | number | mGy | 113912 | 10015 | num | 50 |
event | dose_check_dlp_fwd_mGycm | number | mGy.cm | 113913 | 10015 | num | 950 |
event | dose_check_ctdivol_fwd_mGy | number | mGy | 113914 | 10015 | num | 55 |
event | dap_Gycm2 | number | Gy.cm2 | 122130 | 10003 | num | 0.0542 |
event | rp_dose_mGy | number | mGy | 113738 | 10003B | num | 0.13 |
event | exposure_mAs | number | mA.s | 113736 | 10003B | num | 9.706 | file in uA.s
event | pulse_rate_per_s | number | 1/s | 113791 | 10003B | num | 7.5 |
event | n_pulses | number | 1 | 113768 else 99PHI-IXR-XPER:003 | 10003B | num | 37 | Philips: its number of frames
event | pulse_width_ms | number | ms | 113793 | 10003B | num | 3.3 |
event | irradiation_duration_s | number | s | 113742 | 10003B | num | 4.64 |
event | focal_spot_mm | number | mm | 113766 | 10003B | num | 0.6 |
event | filter_total_Cu_mm | number | mm | 113758/113773 | 10003B | - | 0.6 | mean of minimum and maximum, summed over filters
event | filter_total_Al_mm | number | mm | 113758/113773 | 10003B | - | 1 |
event | filter_thickness_min_mm | number | mm | 113758 | 10003B | - | 0.05 | first filter
event | filter_thickness_max_mm | number | mm | 113773 | 10003B | - | 0.05 | first filter
event | primary_angle_deg | number | deg | 112011 | 10003C | num | -0.1 |
event | secondary_angle_deg | number | deg | 112012 | 10003C | num | -1.1 |
event | primary_end_angle_deg | number | deg | 113739 | 10003C | num | 90 |
event | secondary_end_angle_deg | number | deg | 113740 | 10003C | num | 0 |
event | column_angulation_deg | number | deg | 113770 | 10003C | num | 0 |
event | source_detector_distance_mm | number | mm | 113750 else 99PHI-IXR-XPER:018 | 10003C | num | 1198 |
event | source_isocenter_distance_mm | number | mm | 113748 | 10003C | num | 785 |
event | source_rp_distance_mm | number | mm | 113737 | 10003C | num | 635 |
event | source_table_distance_mm | number | mm | 113792 | 10003C | num | 700 |
event | source_entrance_distance_mm | number | mm | (0040,0306) | | - | 950 | image header
event | table_longitudinal_mm | number | mm | 113751 | 10003C | num | 84 |
event | table_lateral_mm | number | mm | 113752 | 10003C | num | 1524.5 |
event | table_height_mm | number | mm | 113753 else 99PHI-IXR-XPER:021 | 10003C | num | 294.1 |
event | table_longitudinal_end_mm | number | mm | 113759 | 10003C | num | 84 |
event | table_lateral_end_mm | number | mm | 113760 | 10003C | num | 1524.5 |
event | table_height_end_mm | number | mm | 113761 | 10003C | num | 294.1 |
event | table_head_tilt_deg | number | deg | 113754 | 10003C | num | 0 |
event | table_horizontal_rotation_deg | number | deg | 113755 | 10003C | num | 0 |
event | table_cradle_tilt_deg | number | deg | 113756 | 10003C | num | 0 |
event | collimated_field_area_cm2 | number | cm2 | 113790 | 10003B | num | 1054.4 | file in m2
event | collimated_field_height_mm | number | mm | 113788 | 10003B | num | 240 | Philips: from its shutters, at the detector
event | collimated_field_width_mm | number | mm | 113789 | 10003B | num | 180 |
event | field_size_mm | number | mm | 121106 | | - | 480 | field size in the XML of a Siemens comment
event | exposure_index | number | 1 | 113845 | 10003A | num | 1423 |
event | target_exposure_index | number | 1 | 113846 | 10003A | num | 1500 |
event | deviation_index | number | 1 | 113847 | 10003A | num | -0.2 |
event | relative_xray_exposure | number | 1 | (0018,1405) | | - | 1423 | image header
event | sensitivity | number | 1 | (0018,6000) | | - | 400 | image header
event | grid_focal_distance_mm | number | mm | (0018,704C) | | - | 1800 | image header
event | magnification_factor | number | 1 | (0018,1114) | | - | 1.2 | image header
event | agd_mGy | number | mGy | 111631 | 10003B | num | 1.3 |
event | compression_thickness_mm | number | mm | 111633 | 10003C | num | 43 |
event | compression_force_N | number | N | 111647 | 10003C | num | 92 |
event | compression_pressure_kPa | number | kPa | 111648 | 10003C | num | 9.1 |
event | compression_contact_area_cm2 | number | cm2 | 111649 | 10003C | num | 101 |
event | hvl_mmAl | number | mm | 111634 | 10003 | num | 0.535 |
event | entrance_exposure_mGy | number | mGy | 111636 | 10003 | num | 3.65 |
event | patient_equivalent_thickness_mm | number | mm | 111638 | 10003 | num | 210 |
event | percent_fibroglandular_tissue | number | % | 111046 | 4007 | num | 24 | within breast composition, included by 10003
event | administered_activity_MBq | number | MBq | 113507 | 10022 | num | 312 |
event | pre_administration_activity_MBq | number | MBq | 113508 | 10022 | num | 331 |
event | post_administration_activity_MBq | number | MBq | 113509 | 10022 | num | 19 |
event | estimated_extravasation_pct | number | % | 113506 | 10022 | num | 2 |
event | effective_dose_mSv | number | mSv | 113839 | 10013/10022 | num | 5.9 |
event | effective_dose_factor_mSv_per_mGycm | number | mSv/mGycm | 113840 | 10013 | num | 0.014 |
event | radionuclide_half_life_s | number | s | SCT:304283002 | 10022 | num | 6586.2 | SRT R-42806
event | radiopharmaceutical_specific_activity | number | Bq/mol | 123007 | 10022 | num | 5e13 | file in Bq/mmol
event | radiopharmaceutical_volume_cm3 | number | cm3 | 123005 | 10022 | num | 4.5 |
event | glucose_mmol_l | number | mmol/l | LN:14749-6 | 10024 | num | 5.4 |
event | ctdifreeair_mGy | number | mGy | 113837 | 10013 | num | 21 |
event | measured_lateral_mm | number | mm | 113931 | 10013 | num | 340 |
event | measured_ap_mm | number | mm | 113932 | 10013 | num | 240 |
event | xray_modulation_type | string | | 113842 | 10013 | text | XYZ_EC | else from a Siemens comment
event | irradiation_event_label | string | | 113605 | 10003/10013 | text | 5 |
event | is_repeated_acquisition | string | | 128551 | 10003/10013 | text | No |
event | acquired_image_uid | string | | 113795 | 10003 | text | 1.2.840... | first image of the event
event | dose_derived | string | | derived | | - | exposure_time_ms | fields computed, not written in the report; list
"""


class Field(NamedTuple):
    """One field of dose events; `sources` are the codes or tags as the table writes them."""

    record: str
    name: str
    type: str
    unit: str
    sources: str
    tid: str
    how: str
    example: str
    note: str

    @property
    def codes(self) -> tuple[Key, ...]:
        """The concept names that give it, best first; none for a field from tags."""
        words = self.sources.replace(" else ", " ").replace(" with ", " ").replace("/", " ").split()
        return tuple(key(word) for word in words if word[0] != "(" and any(c.isdigit() for c in word))

    @property
    def stem(self) -> str:
        """The name without its unit: `ctdivol` of `ctdivol_mGy`."""
        head, _, tail = self.name.rpartition("_")
        plain = self.unit.replace(".", "").replace("/", "")
        return head if head and tail in (plain, f"{plain}Al") else self.name


def _fields() -> tuple[Field, ...]:
    rows = (line for line in _TABLE.strip().splitlines() if not line.startswith("#"))
    return tuple(Field(*(cell.strip() for cell in row.split("|"))) for row in rows)


FIELDS = _fields()

PERSONAL_FIELDS = tuple(field.name for field in FIELDS if "subject to phi" in field.note)
"""What names, or may name, a person: the `phi` setting of an input keeps, hashes or drops them."""

TEMPLATE_UNITS = {
    "total_rp_dose_mGy": "Gy",
    "fluoro_rp_dose_mGy": "Gy",
    "acq_rp_dose_mGy": "Gy",
    "rp_dose_mGy": "Gy",
    "dap_Gycm2": "Gy.m2",
    "total_dap_Gycm2": "Gy.m2",
    "fluoro_dap_Gycm2": "Gy.m2",
    "acq_dap_Gycm2": "Gy.m2",
    "exposure_mAs": "uA.s",
    "collimated_field_area_cm2": "m2",
    "radiopharmaceutical_specific_activity": "Bq/mmol",
}
"""Where PS3.16 fixes another unit than our field's: what a number without any unit is taken to be in."""
