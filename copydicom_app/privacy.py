"""Take the patient out of tags, before anything is made of them. Pure: tags in, tags out.

The Basic Application Level Confidentiality Profile (PS3.15, table E.1-1) by keyword, at every depth, with
the options Retain Longitudinal Temporal Information with Full Dates, Retain Patient Characteristics and
Retain Device Identity. Names of protocols and descriptions of study, series and procedure are kept, since
the dashboards live on them; what somebody typed there stays. Attributes that the profile would replace by
a dummy are left out, or under `hash` become pseudonyms: an event needs no dummy to be valid.

It works on what Orthanc gives, so every kind of event that is made of it afterwards is free of what is
taken out here. Private elements are no concern: they never get into an event.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Optional


class Phi(str, Enum):
    """What becomes of a patient's data."""

    KEEP = "keep"
    HASH = "hash"
    DROP = "drop"


def _keywords(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Names and numbers by which one person, order or institution is told from another: pseudonyms under
# `hash`, gone under `drop`.
PSEUDONYMS = _keywords("""
    AccessionNumber AdmissionID ClinicalTrialSubjectID ClinicalTrialSubjectReadingID
    DocumentAuthorTrial EvaluatorName SecondaryReviewerName
    ConsultingPhysicianName ContainerIdentifier ContentCreatorName CurrentObserverTrial DistributionName
    FillerOrderNumberImagingServiceRequest HumanPerformerName InstitutionName InstitutionalDepartmentName
    InterpretationAuthor InterpretationRecorder InterpretationTranscriber MedicalRecordLocator
    NameOfPhysiciansReadingStudy NamesOfIntendedRecipientsOfResults OperatorsName OrderEnteredBy
    OtherPatientIDs OtherPatientNames PatientBirthName PatientID PatientMotherBirthName PatientName
    PerformedProcedureStepID PerformingPhysicianName PersonName PhysicianApprovingInterpretation
    PhysiciansOfRecord PlacerOrderNumberImagingServiceRequest ROIInterpreter ReferringPhysicianName
    RequestedProcedureID RequestingPhysician ResponsiblePerson ReviewerName
    ScheduledPerformingPhysicianName ScheduledProcedureStepID SelectorPNValue ServiceEpisodeID
    SpecimenAccessionNumber SpecimenIdentifier StudyID VerbalSourceTrial VerifyingObserverName
""")

# Everything else that the profile takes out, and no option that we claim keeps.
REMOVED = _keywords("""
    AcquisitionComments AcquisitionContextSequence AcquisitionDeviceProcessingDescription
    AcquisitionFieldOfViewLabel AcquisitionProtocolDescription ActualHumanPerformersSequence
    AdditionalPatientHistory AddressTrial AdmittingDiagnosesCodeSequence AdmittingDiagnosesDescription
    Allergies AnnotationGroupDescription AnnotationGroupLabel Arbitrary AuthorObserverSequence
    BarcodeValue BeamDescription BolusDescription BranchOfService CameraOwnerName CertificateOfSigner
    ClinicalTrialCoordinatingCenterName ClinicalTrialProtocolEthicsCommitteeApprovalNumber
    ClinicalTrialProtocolEthicsCommitteeName ClinicalTrialProtocolID ClinicalTrialProtocolName
    ClinicalTrialSeriesDescription ClinicalTrialSeriesID ClinicalTrialSiteID ClinicalTrialSiteName
    ClinicalTrialSponsorName ClinicalTrialTimePointDescription ClinicalTrialTimePointID
    CommentsOnRadiationDose CommentsOnThePerformedProcedureStep CompensatorDescription
    ConceptualVolumeCombinationDescription ConceptualVolumeDescription
    ConfidentialityConstraintOnPatientDataDescription ConsultingPhysicianIdentificationSequence
    ContainerComponentID ContainerDescription ContentCreatorIdentificationCodeSequence ContrastBolusAgent
    ContributionDescription CountryOfResidence CurrentPatientLocation CurveData
    CustodialOrganizationSequence DataSetTrailingPadding DecompositionDescription DerivationDescription
    DestinationAE DeviceAlternateIdentifier DeviceSettingDescription DigitalSignaturesSequence
    DischargeDiagnosisDescription DisplacementReferenceLabel DistributionAddress DoseReferenceDescription
    EncapsulatedDocument EntityDescription EntityLabel EntityLongLabel EntityName
    EquipmentFrameOfReferenceDescription FilterLookupTableDescription FixationDeviceDescription
    FlowIdentifier FlowIdentifierSequence FractionGroupDescription FractionationNotes FrameComments
    GPSAltitude GPSAltitudeRef GPSAreaInformation GPSDOP GPSDestBearing GPSDestBearingRef GPSDestDistance
    GPSDestDistanceRef GPSDestLatitude GPSDestLatitudeRef GPSDestLongitude GPSDestLongitudeRef
    GPSDifferential GPSImgDirection GPSImgDirectionRef GPSLatitude GPSLatitudeRef GPSLongitude
    GPSLongitudeRef GPSMapDatum GPSMeasureMode GPSProcessingMethod GPSSatellites GPSSpeed GPSSpeedRef
    GPSStatus GPSTimeStamp GPSTrack GPSTrackRef GPSVersionID GraphicAnnotationSequence
    HumanPerformerOrganization IconImageSequence IdentifyingComments ImageComments
    ImagePresentationComments ImagingServiceRequestComments Impressions InstanceOriginStatus
    InstitutionAddress InstitutionCodeSequence InstitutionalDepartmentTypeCodeSequence
    InsurancePlanIdentification IntendedRecipientsOfResultsIdentificationSequence InterlockDescription
    InterlockOriginDescription InterpretationApproverSequence InterpretationDiagnosisDescription
    InterpretationID InterpretationIDIssuer InterpretationText IssuerOfAdmissionID
    IssuerOfAdmissionIDSequence IssuerOfClinicalTrialProtocolID IssuerOfClinicalTrialSeriesID
    IssuerOfClinicalTrialSiteID IssuerOfClinicalTrialSubjectID IssuerOfClinicalTrialSubjectReadingID
    IssuerOfClinicalTrialTimePointID IssuerOfPatientID IssuerOfServiceEpisodeID
    IssuerOfServiceEpisodeIDSequence IssuerOfTheContainerIdentifierSequence
    IssuerOfTheSpecimenIdentifierSequence LabelText LongDeviceDescription MAC MakerNote MedicalAlerts
    MilitaryRank ModifiedAttributesSequence ModifiedImageDescription MultienergyAcquisitionDescription
    NetworkID NonconformingDataElementValue NonconformingModifiedAttributesSequence Occupation
    OperatorIdentificationSequence OrderCallbackPhoneNumber OrderCallbackTelecomInformation
    OrderEntererLocation OriginalAttributesSequence Originator OtherClinicalTrialProtocolIDsSequence
    OtherPatientIDsSequence OverlayComments OverlayData ParticipantSequence PatientAddress
    PatientBirthDate PatientBirthTime PatientComments PatientInstitutionResidence
    PatientInsurancePlanCodeSequence PatientPrimaryLanguageCodeSequence
    PatientPrimaryLanguageModifierCodeSequence PatientReligiousPreference PatientSetupPhotoDescription
    PatientState PatientTelecomInformation PatientTelephoneNumbers PatientTransportArrangements
    PatientTreatmentPreparationMethodDescription PatientTreatmentPreparationProcedureParameterDescription
    PerformedLocation PerformedStationAETitle PerformingPhysicianIdentificationSequence PersonAddress
    PersonIdentificationCodeSequence PersonTelecomInformation PersonTelephoneNumbers
    PhysiciansOfRecordIdentificationSequence PhysiciansReadingStudyIdentificationSequence
    PositionAcquisitionTemplateDescription PositionAcquisitionTemplateName PreMedication
    PrescriptionDescription PrescriptionNotes PrescriptionNotesSequence PriorTreatmentDoseDescription
    PyramidDescription PyramidLabel ROICreatorSequence ROIDescription ROIGenerationDescription
    ROIInterpreterSequence ROIName ROIObservationDescription ROIObservationLabel RTAccessoryDeviceSlotID
    RTAccessoryHolderSlotID RTPhysicianIntentNarrative RTPlanDescription RTPlanLabel RTPlanName
    RTPrescriptionLabel RTToleranceSetLabel RTTreatmentApproachLabel RadiationDoseIdentificationLabel
    RadiationDoseInVivoMeasurementLabel RadiationGenerationModeDescription RadiationGenerationModeLabel
    ReasonForOmissionDescription ReasonForRequestedProcedureCodeSequence ReasonForStudy
    ReasonForSuperseding ReasonForTheAttributeModification ReasonForTheImagingServiceRequest
    ReasonForTheRequestedProcedure ReasonForVisit ReasonForVisitCodeSequence ReceivingAE
    ReferencedDigitalSignatureSequence ReferencedPatientAliasSequence ReferencedPatientPhotoSequence
    ReferencedPatientSequence ReferencedPerformedProcedureStepSequence ReferencedSOPInstanceMACSequence
    ReferencedStudySequence ReferringPhysicianAddress ReferringPhysicianIdentificationSequence
    ReferringPhysicianTelephoneNumbers RegionOfResidence RequestAttributesSequence RequestedContrastAgent
    RequestedProcedureComments RequestedProcedureLocation RequestedSeriesDescription RequestingAE
    RequestingService RespiratoryMotionCompensationTechniqueDescription ResponsibleOrganization
    ResultsComments ResultsDistributionListSequence ResultsID ResultsIDIssuer RetrieveAETitle
    ScheduledHumanPerformersSequence ScheduledPatientInstitutionResidence
    ScheduledPerformingPhysicianIdentificationSequence ScheduledStationAETitle
    ScheduledStudyLocationAETitle SelectorAEValue SelectorLOValue SelectorLTValue SelectorOBValue
    SelectorSHValue SelectorSTValue SelectorUNValue SelectorURValue SelectorUTValue
    ServiceEpisodeDescription SetupTechniqueDescription ShieldingDeviceDescription SlideIdentifier
    SourceIdentifier SourceOfPreviousValues SpecialNeeds SpecimenDetailedDescription
    SpecimenPreparationSequence SpecimenShortDescription StationAETitle StructureSetDescription
    StructureSetLabel StructureSetName StudyComments StudyIDIssuer TelephoneNumberTrial TextComments
    TextString TopicAuthor TopicKeywords TopicSubject TopicTitle TreatmentPositionGroupLabel TreatmentSite
    TreatmentSites TreatmentTechniqueNotes TreatmentToleranceViolationDescription UserContentLabel
    UserContentLongLabel VerbalSourceIdentifierCodeSequenceTrial
    VerifyingObserverIdentificationCodeSequence VerifyingObserverSequence VerifyingOrganization
    VisitComments WaveformFilterDescription
""")

# In the table, and kept: the dashboards group by them.
DESCRIPTIONS = _keywords("""
    PerformedProcedureStepDescription ProtocolName RequestedProcedureDescription
    ScheduledProcedureStepDescription SeriesDescription StudyDescription
""")

# UIDs of things that are no person's: devices (Retain Device Identity), and the standard's own.
_KEPT_UIDS = frozenset({"DeviceUID", "ManufacturerDeviceClassUID"})
_STANDARD_UID = "1.2.840.10008."

# The concepts (PS3.16) under which a text in a report names a protocol or a device; other texts go.
_KEPT_TEXTS = frozenset(
    {
        ("DCM", "125203"),  # Acquisition Protocol
        ("DCM", "113832"),  # Identification of the X-Ray Source
        ("DCM", "113880"),  # Device Serial Number
        ("DCM", "121013"),  # Device Observer Name
        ("DCM", "121014"),  # Device Observer Manufacturer
        ("DCM", "121015"),  # Device Observer Model Name
        ("DCM", "121016"),  # Device Observer Serial Number
    }
)
_BIRTH_DATE, _AGE = ("DCM", "121031"), ("DCM", "121033")
_OLDEST = 89  # years; who is older could be told by the age alone
_PER_YEAR = {"D": 365.25, "W": 52.18, "M": 12.0, "Y": 1.0}
_AGE_STRING = re.compile(r"\s*(\d+)\s*([DWMY])\s*\Z")


@dataclass(frozen=True)
class Privacy:
    """How tags are protected; `key` makes pseudonyms that nobody without it can compute or check."""

    phi: Phi = Phi.KEEP
    key: bytes = field(default=b"", repr=False)

    def __post_init__(self) -> None:
        if self.phi is not Phi.KEEP and len(self.key) < 16:
            raise ValueError("phi needs a key of at least 16 bytes")

    def tags(self, tags: Mapping[str, Any]) -> Mapping[str, Any]:
        """Simplified tags (keyword -> text or list of such) without the patient."""
        return tags if self.phi is Phi.KEEP else dict(self._kept(tags))

    def patient(self, id: str) -> str:
        """In place of Orthanc's id of a patient, a plain SHA-1 of the PatientID; empty under `drop`."""
        if self.phi is Phi.KEEP:
            return id
        digest = self._digest("ParentPatient", id).hex()[:40]
        return "-".join(digest[i : i + 8] for i in range(0, 40, 8)) if self.phi is Phi.HASH else ""

    def uid(self, uid: str) -> str:
        """A UID for a UID, the same each time (PS3.5, B.2: a UUID below 2.25); the standard's own stay."""
        uid = uid.strip()
        if not uid or uid.startswith(_STANDARD_UID):
            return uid
        return f"2.25.{int.from_bytes(self._digest('UID', uid)[:16], 'big')}"

    def _kept(self, tags: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
        concept = _concept(tags)
        for keyword, value in tags.items():
            if keyword in REMOVED or (keyword == "TextValue" and concept not in _KEPT_TEXTS):
                continue
            if concept == _BIRTH_DATE and keyword in ("Date", "DateTime"):
                continue
            if keyword in PSEUDONYMS:
                if self.phi is Phi.HASH and isinstance(value, str) and value.strip():
                    yield keyword, self._pseudonym(keyword, value)
            elif keyword == "PatientAge":
                yield keyword, _age(value)
            elif concept == _AGE and keyword == "NumericValue":
                yield keyword, _years(value)
            elif _names_uids(keyword):
                yield keyword, self._uids(value)
            else:
                yield keyword, self._value(value, concept == _AGE)

    def _value(self, value: Any, within_age: bool) -> Any:
        if isinstance(value, Mapping):
            # The number of a report's age is one sequence further down than the concept that tells so.
            inner = (
                {**value, "NumericValue": _years(value["NumericValue"])}
                if (within_age and "NumericValue" in value)
                else value
            )
            return dict(self._kept(inner))
        if isinstance(value, list):
            return [self._value(item, within_age) for item in value]
        return value

    def _uids(self, value: Any) -> Any:
        if isinstance(value, str):
            return "\\".join(self.uid(part) for part in value.split("\\"))
        return value

    def _pseudonym(self, keyword: str, value: str) -> str:
        # A patient's other ids are pseudonyms like the first, so that they still meet.
        kind = {"OtherPatientIDs": "PatientID", "OtherPatientNames": "PatientName"}.get(keyword, keyword)
        return self._digest(kind, value.strip()).hex()[:20]

    def _digest(self, kind: str, value: str) -> bytes:
        return hmac.new(self.key, f"{kind}\0{value}".encode(), hashlib.sha256).digest()


def _names_uids(keyword: str) -> bool:
    """Whether the values are UIDs that tell one object from another, or might be."""
    named = keyword.endswith(("UID", "UIDs", "UIDList", "UIDInFile", "UIDTrial"))
    return named and keyword not in _KEPT_UIDS


def _concept(item: Mapping[str, Any]) -> Optional[tuple[str, str]]:
    """Scheme and value of what a content item of a report is about (PS3.3, C.17.3)."""
    names = item.get("ConceptNameCodeSequence")
    if not isinstance(names, list) or not names or not isinstance(names[0], Mapping):
        return None
    return str(names[0].get("CodingSchemeDesignator", "")), str(names[0].get("CodeValue", ""))


def _age(value: Any) -> Any:
    match = _AGE_STRING.match(value) if isinstance(value, str) else None
    if match and int(match[1]) / _PER_YEAR[match[2]] >= _OLDEST + 1:
        return "090Y"
    return value


def _years(value: Any) -> Any:
    """An age in a report. Its unit does not count: more than 89 of anything is shown as 90."""
    try:
        return "90" if float(value) > _OLDEST else value
    except (TypeError, ValueError):
        return value
