#![doc = include_str!("../ARCHITECTURE.md")]

#[cfg(feature = "mobile")]
uniffi::setup_scaffolding!("atom");

// The README's Rust example is compiled and run with the documentation tests.
#[cfg(all(doctest, feature = "testing"))]
#[doc = include_str!("../../README.md")]
struct Readme;

/// The library whose transactions [`HostTransaction`] takes.
pub use sqlx;
/// What [`KeyProvider::unwrap`] returns: bytes that are wiped when they are dropped.
pub use zeroize::Zeroizing;

mod accounts;
mod atom;
mod audit;
pub mod bridge;
mod broker;
mod clock;
mod config;
mod connect;
mod crypto;
mod egress;
mod emergency;
mod ending;
mod error;
mod events;
mod holdings;
mod http_client;
mod id;
mod integrations;
mod jobs;
mod keys;
mod mail;
mod moment;
mod oauth;
mod providers;
mod raw;
mod schedules;
mod scope;
mod secret;
mod storage;
mod tally;
#[cfg(feature = "testing")]
pub mod testing;
mod value;
mod vault;
mod webhooks;

pub use accounts::{
    AcceptInvitation, Accounts, ActiveSession, AddedFactor, AllWorkspaces, AppleKey, AuditTrail, BreachedPasswords, Client,
    Credentials, EmailAddress, EmailProof, EmailSignIn, Events, Factor, FactorKind, Factors, Identities, Identity, ImportedUser,
    Invitation, InvitationFilter, InvitationPage, InvitationPreview, InvitationState, Invitations, LinkSignIn, MagicLink, Member,
    MemberFilter, MemberPage, Members, NewAccount, NewInvitation, NewWorkspace, PasskeyChallenge, PasskeyCredentials, Password,
    PasswordResetRequest, PendingCode, PendingFactor, PendingLink, PendingMagicLink, PendingVerification, Principal, Purpose,
    RecoveryCodes, Role, Session, Sessions, SignIn, SignInMethod, SignInProvider, SocialFlow, SocialStart, StepUp, TotpSetup,
    User, UserImport, Users, Workspace, WorkspaceMembership, WorkspaceSeats, Workspaces,
};
pub use accounts::{Profile, ProfilePatch, UserAccount, UserFilter, UserPage, UserPatch, UserProfile, UserState};
pub use atom::Atom;
pub use audit::{AuditAction, AuditEntry, AuditFilter, AuditPage, AuditProblem, AuditReport};
pub use clock::Clock;
pub use config::{Builder, OpenOptions, ProviderApp};
pub use connect::{
    AccessToken, AccountStatus, Authorization, CheckedManifest, ConnectField, ConnectFlow, ConnectMethod, ConnectWith,
    ConnectedAccount, Connection, ConnectionHealth, ConnectionState, Connections, DeviceAuthorization, DevicePoll, DeviceState,
    NewWorkspaceProvider, OperationUsage, Provider, ProviderStatus, ProviderUsage, ServiceStatus, StartConnection, StartDevice,
    UsageBucket, UsageCounts, UsageFailures, UsageInterval, UsageQuery, UsageReport, WorkspaceProvider, WorkspaceProviderFilter,
    WorkspaceProviderPage, WorkspaceProviderPatch, WorkspaceProviders,
};
#[cfg(feature = "pkcs11")]
pub use crypto::Pkcs11Key;
pub use crypto::{BoxFuture, HostKey, KeyProvider, KeychainOptions, LocalKey, Pkcs11Options};
pub use emergency::{
    EmergencyAccess, EmergencyApproval, EmergencyFilter, EmergencyPage, EmergencyRequest, EmergencySecret, EmergencySecretKind,
    EmergencyState, NewEmergencyAccess, OfflineKey,
};
pub use error::{Error, ErrorKind, Result};
pub use events::{
    Event, EventField, EventFieldType, EventFilter, EventPage, EventStream, EventSubscription, EventType, PublishEvent,
};
pub use id::{
    ConnectionId, DataKeyId, DeviceFlowId, EmergencyRequestId, EventId, FactorId, IdentityId, InvitationId, JobId, MailId,
    SecretLeaseId, ServiceKeyId, SessionId, SigningKeyId, UserId, WebhookDeliveryId, WebhookEndpointId, WorkspaceId,
    WorkspaceProviderId,
};
pub use integrations::accounting::{
    AccountClass, Accounting, AccountingBill, AccountingBillPage, AccountingBillPatch, AccountingCompany, AccountingContact,
    AccountingContactPage, AccountingContactPatch, AccountingInvoice, AccountingInvoicePage, AccountingInvoicePatch,
    AccountingInvoiceStatus, AccountingItem, AccountingItemPage, AccountingItemPatch, AccountingLine, AccountingPayment,
    AccountingPaymentPage, JournalEntry, JournalEntryPage, JournalLine, LedgerAccount, LedgerAccountPage, ListAccountingBills,
    ListAccountingContacts, ListAccountingInvoices, ListAccountingItems, ListAccountingPayments, ListJournalEntries,
    ListLedgerAccounts, NewAccountingBill, NewAccountingContact, NewAccountingInvoice, NewAccountingItem, NewAccountingPayment,
    NewJournalEntry, TaxRate, TaxRatePage,
};
pub use integrations::automation::{
    Automation, AutomationRun, AutomationRunPage, AutomationRunStatus, AutomationWorkflow, AutomationWorkflowPage, ListRuns,
    ListWorkflows, NewAutomationRun,
};
pub use integrations::calendar::{
    Attendee, AttendeeResponse, CalendarEvent, CalendarEventPage, Calendars, EventPatch, EventStatus, EventTime, ListEvents,
    NewEvent, RemoteCalendar, RemoteCalendarPage,
};
pub use integrations::chat::{
    ChannelKind, Chat, ChatChannel, ChatChannelPage, ChatMessage, ChatMessagePage, ChatUser, ChatUserPage, ListChannels,
    ListChatMessages, NewChatMessage,
};
pub use integrations::code::{
    Code, CodeCommit, CodeCommitPage, CodeRelease, CodeReleasePage, CodeRepository, CodeRepositoryPage, ListCommits,
    ListPullRequests, ListReleases, ListRepositories, NewPullRequest, NewRelease, PullRequest, PullRequestPage, PullRequestPatch,
    PullRequestState,
};
pub use integrations::commerce::{
    Commerce, FulfilmentStatus, ListCustomers, ListOrders, ListProducts, NewShopCustomer, NewShopProduct, OrderLine,
    OrderPaymentStatus, OrderStatus, ProductStatus, ShopCustomer, ShopCustomerPage, ShopCustomerPatch, ShopOrder, ShopOrderPage,
    ShopProduct, ShopProductPage, ShopProductPatch,
};
pub use integrations::crm::{
    Crm, CrmCompany, CrmCompanyPage, CrmCompanyPatch, CrmContact, CrmContactPage, CrmContactPatch, CrmDeal, CrmDealPage,
    CrmDealPatch, DealStatus, ListCompanies, ListContacts, ListDeals, NewCrmCompany, NewCrmContact, NewCrmDeal,
};
pub use integrations::design::{
    Design, DesignComment, DesignCommentPage, DesignComponent, DesignComponentPage, DesignExport, DesignExportStatus, DesignFile,
    DesignFilePage, DesignFormat, DesignFrame, DesignPage, DesignPagePage, DesignProject, DesignProjectPage, DesignTeam,
    DesignTeamPage, ListDesignComments, ListDesignComponents, ListDesignFiles, ListDesignPages, ListDesignProjects,
    NewDesignComment, NewDesignExport,
};
pub use integrations::documents::{Document, DocumentPage, DocumentPatch, Documents, ListDocuments, NewDocument};
pub use integrations::engine::{ByteStream, RecordStream};
pub use integrations::files::{FilePage, FilePatch, FileUpload, Files, ListFiles, NewFile, NewFolder, NewUpload, RemoteFile};
pub use integrations::hooks::{HostHook, OperationHook};
pub use integrations::mail::{
    ListMessages, MailAddress, MailAttachment, MailFolder, MailFolderPage, MailMessage, MailMessagePage, MailMessagePatch,
    Mailbox, NewMessage,
};
pub use integrations::meetings::{ListMeetings, Meeting, MeetingPage, MeetingPatch, Meetings, NewMeeting};
pub use integrations::payments::{
    InvoiceStatus, ListInvoices, ListPaymentCustomers, ListPayments, ListSubscriptions, NewPayment, NewPaymentCustomer,
    NewPaymentInvoice, NewPaymentProduct, NewRefund, Payment, PaymentCustomer, PaymentCustomerPage, PaymentCustomerPatch,
    PaymentInvoice, PaymentInvoicePage, PaymentPage, PaymentProduct, PaymentProductPage, PaymentRefund, PaymentStatus,
    PaymentSubscription, PaymentSubscriptionPage, Payments, SubscriptionStatus,
};
pub use integrations::push::{NewPush, Push, PushOutcome, PushPriority, PushResult, PushTarget};
pub use integrations::shared::{Money, Paging, Person};
pub use integrations::social::{
    ListPosts, ListSocialComments, NewSocialComment, NewSocialMedia, NewSocialPost, PostMetrics, PostVisibility, Social,
    SocialComment, SocialCommentPage, SocialMedia, SocialPost, SocialPostPage, SocialProfile, UploadedMedia,
};
pub use integrations::support::{
    ListSupportContacts, ListTicketComments, ListTickets, NewSupportContact, NewSupportTicket, NewTicketComment, Support,
    SupportAgent, SupportAgentPage, SupportContact, SupportContactPage, SupportContactPatch, SupportGroup, SupportGroupPage,
    SupportTicket, SupportTicketPage, SupportTicketPatch, TicketAttachment, TicketComment, TicketCommentPage, TicketPriority,
    TicketStatus,
};
pub use integrations::tasks::{
    ListComments, ListProjects, ListTasks, NewTask, RemoteProject, RemoteProjectPage, RemoteTask, RemoteTaskPage, RemoteTasks,
    TaskComment, TaskCommentPage, TaskPatch, TaskPriority, TaskStatus,
};
pub use jobs::{
    Batch, Effect, EnqueuedJob, Handler, HostTransaction, JobCount, JobFailure, JobFilter, JobKind, JobLimit, JobPage,
    JobProgress, JobState, Jobs, NewBatch, NewJob, OnDuplicate, QueueStatus, Queues, RecordedStep, RetryPolicy, RunningJob,
    StoredJob, UniqueJob, UniqueUntil, Worker, WorkerOptions, WorkerStatus,
};
pub use keys::{
    DataKey, DataKeyState, KeyRotation, KeyStatus, Keys, Resealing, SigningKey, SigningKeyState, SigningKeys, WrappingKey,
};
pub use mail::{
    HostMailSender, Mail, MailDelivery, MailDeliveryFilter, MailDeliveryPage, MailDeliveryState, MailKind, MailPreview,
    MailReceipt, MailReport, MailSender, MailTemplate, OutgoingMail, SmtpOptions, SmtpSecurity,
};
pub use providers::{Capability, CatalogueEntry, ManifestChange, OperationInfo};
pub use raw::{RawRequest, RawResponse};
pub use schedules::{MissedRuns, NewSchedule, Schedule, ScheduleRule, Schedules};
pub use scope::Scope;
pub use secret::Secret;
pub use storage::{MigrationStatus, Schema};
pub use value::{Bytes, Json, RawRecord};
pub use vault::leases::{
    GrantedSecretLease, LeasedSecret, NewSecretLease, SecretLease, SecretLeaseFilter, SecretLeasePage, SecretLeases,
};
pub use vault::policies::{
    NewSecretPolicy, SecretAction, SecretDecision, SecretDecisionReason, SecretEffect, SecretPolicies, SecretPolicy,
    SecretTarget, SecretUse,
};
pub use vault::service_keys::{
    KeyPlacement, NewServiceKey, RevealedServiceKey, ServiceKey, ServiceKeyFilter, ServiceKeyOwner, ServiceKeyPage,
    ServiceKeyPatch, ServiceKeyRotation, ServiceKeys,
};
pub use webhooks::{
    NewWebhookEndpoint, WebhookAttempt, WebhookDelivery, WebhookDeliveryFilter, WebhookDeliveryPage, WebhookDeliveryState,
    WebhookDisabled, WebhookEndpoint, WebhookEndpointPatch, WebhookSigning, WebhookVerifier, Webhooks,
};
