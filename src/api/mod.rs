//! The contract that daemon and client share: paths, requests, answers and problems.

mod anomaly;
mod answer;
mod clock;
mod emergency;
mod events;
mod hold;
mod ledger;
pub mod openapi;
mod package;
mod policy;
mod problem;
mod purge;
mod request;
pub mod routes;
mod status;
mod subscriber;
mod triage;

pub use anomaly::{AnomaliesAnswer, AnomalyDay, AnomalyText};
pub use answer::{AtText, BoundaryText, HeardText, InsideText, LedgerText, LineText, LookupAnswer, LookupRequest};
pub use clock::{AcceptAnswer, AcceptRequest, ClockState, ClockStatus};
pub use emergency::{EmergencyCounts, EmergencyLine, EmergencyList, FollowUpRequest};
pub use events::{EventAck, StreamEnd};
pub use hold::{AttachRequest, HeldSpan, HoldList, HoldRequest, HoldSheet, HoldState};
pub use ledger::{LedgerKeys, ReceiptAnswer};
pub use package::{Certificate, CertifiedItem, CustodianText, Package, PackageContent, PackageFile};
pub use policy::{AskersText, PolicyAnswer, PolicySource, PolicyText, ProcessTypeText, RetentionText, SourceKind};
pub use problem::{PROBLEM_JSON, Problem};
pub use purge::{
    BucketText, ChangeText, ErasureText, OldestText, PlanAnswer, PurgeReports, PurgeStatus, ReportLine, RunAnswer,
    RunText, SpanText, WindowAnswer, WindowRequest,
};
pub use request::{
    AddedText, Answers, AnswersRequest, Done, FeeLine, FieldsAdded, FieldsPaper, ItemSheet, ItemText, ItemsPaper,
    RequestLine, RequestList, RequestOpened, RequestPaper, RequestSheet, RequestState, Warning,
};
pub use request::{ItemReading, RequestPreview};
pub use status::{DiskStatus, GapText, SourceStatus, StatusAnswer};
pub use subscriber::{AssignmentText, EndText, LogonText, PortsText, SpanAsked, SubscriberAnswer, SubscriberRequest};
pub use triage::{RemarkText, RowFault, TriageAnswer, TriageItem, TriageRequest, TriageState};

/// `POST`: one lookup, a [`LookupRequest`] answered with a [`LookupAnswer`].
pub const LOOKUPS: &str = "/v1/lookups";
/// `GET`: a [`RequestList`]. `POST`: a [`RequestPaper`] answered with a [`RequestOpened`]. With `/` and an id behind it, `GET`: a
/// [`RequestSheet`]; with `/items`, `POST`: [`ItemsPaper`] answered with a [`RequestOpened`]; with `/answers`, `POST`: an
/// [`AnswersRequest`] answered with [`Answers`]; with `/fields`, `POST`: a [`FieldsPaper`] answered with
/// [`FieldsAdded`]; with `/follow-up`, `POST`: a [`FollowUpRequest`] answered with [`Done`]; with `/approve` or `/close`, `POST`:
/// [`Done`]; with `/package`, `POST`: a [`Package`]; with `/certificate`, `POST`: a [`Certificate`].
pub const REQUESTS: &str = "/v1/requests";
/// `POST`: a [`RequestPaper`] answered with a [`RequestPreview`].
pub const REQUESTS_PREVIEW: &str = "/v1/requests/preview";
/// `GET`: an [`EmergencyList`].
pub const EMERGENCIES: &str = "/v1/emergencies";
/// `GET`: an [`AnomaliesAnswer`]. Auditors only.
pub const ANOMALIES: &str = "/v1/anomalies";
/// `GET`: a [`HoldList`]. `POST`: a [`HoldRequest`] answered with a [`HoldSheet`]. With `/` and an id behind it, `GET`: a
/// [`HoldSheet`]; with `/attach`, `POST`: an [`AttachRequest`]; with `/approve`, `/renew` or `/release`, `POST`; each answered
/// with [`Done`].
pub const HOLDS: &str = "/v1/holds";
/// `POST`: what one subscriber had, a [`SubscriberRequest`] answered with a [`SubscriberAnswer`].
pub const SUBSCRIBERS: &str = "/v1/subscribers";
/// `POST`: which items of a list can still be answered, a [`TriageRequest`] answered with a [`TriageAnswer`].
pub const TRIAGE: &str = "/v1/triage";
/// `POST`, with `?first=` for the number of the first line: lines of JSON, one event each, answered line by line with
/// an [`EventAck`]; where not all are answered, the last line is a [`StreamEnd`].
pub const EVENTS: &str = "/v1/events";
/// The media type of lines of JSON.
pub const NDJSON: &str = "application/x-ndjson";
/// `GET`: a [`StatusAnswer`].
pub const STATUS: &str = "/v1/status";
/// `GET`: a [`PolicyAnswer`].
pub const POLICY: &str = "/v1/policy";
/// `GET`: a [`ClockStatus`].
pub const CLOCK: &str = "/v1/clock";
/// `POST`: accepts a clock in doubt, an [`AcceptRequest`] answered with an [`AcceptAnswer`].
pub const CLOCK_ACCEPT: &str = "/v1/clock/accept";
/// `GET`: a [`PurgeStatus`].
pub const PURGE_STATUS: &str = "/v1/purge/status";
/// The public keys of the ledgers.
pub const LEDGER_KEYS: &str = "/v1/ledgers/keys";
/// `GET`, with `?window=24h` for a change of the window: a [`PlanAnswer`].
pub const PURGE_PLAN: &str = "/v1/purge/plan";
/// `GET`, with `?from=` and `&limit=`: [`PurgeReports`]; with `/` and a number behind it, that report's canonical text.
pub const PURGE_REPORTS: &str = "/v1/purge/reports";
/// `POST`, of which the body does not matter: makes a run now; a [`RunAnswer`].
pub const PURGE_RUN: &str = "/v1/purge/run";
/// `POST`: a [`WindowRequest`] answered with a [`WindowAnswer`].
pub const PURGE_WINDOW: &str = "/v1/purge/window";
/// `GET`: 200 while the process runs.
pub const LIVEZ: &str = "/livez";
/// `GET`: 200 while the store takes events and the clock is trusted, 503 otherwise.
pub const READYZ: &str = "/readyz";

/// Version of the JSON of a lookup.
pub const LOOKUP_VERSION: u32 = 1;
/// Version of the JSON of anomalies.
pub const ANOMALIES_VERSION: u32 = 1;
/// Version of the JSON of the policy.
pub const POLICY_VERSION: u32 = 1;
/// Version of the JSON of a look-up of one subscriber.
pub const SUBSCRIBER_VERSION: u32 = 1;
/// Version of the JSON of a no-records certificate.
pub const CERTIFICATE_VERSION: u32 = 1;
/// Version of the JSON of a triage.
pub const TRIAGE_VERSION: u32 = 1;
