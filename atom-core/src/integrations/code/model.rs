//! What the code API takes and returns.

use crate::integrations::shared::Person;
use crate::{Json, RawRecord};
use atom_macros::model;
use chrono::{DateTime, Utc};

/// A repository.
#[model]
pub struct CodeRepository {
    /// The provider's id: pass it as `repository_id`.
    pub id: String,
    /// The provider's name.
    pub provider: String,
    /// Its name.
    #[serde(default)]
    pub name: String,
    /// Its name with its owner's before it.
    pub full_name: Option<String>,
    /// More about it.
    pub description: Option<String>,
    /// Whether only some people see it.
    #[serde(default)]
    pub is_private: bool,
    /// Whether it is put away.
    #[serde(default)]
    pub is_archived: bool,
    /// The main branch.
    pub default_branch: Option<String>,
    /// What most of it is written in.
    pub language: Option<String>,
    /// When it was made.
    pub created_at: Option<DateTime<Utc>>,
    /// When it last changed.
    pub updated_at: Option<DateTime<Utc>>,
    /// Where a person opens it.
    pub web_url: Option<String>,
    /// Whether it is deleted or in the bin.
    #[serde(default)]
    pub deleted: bool,
    /// Fields that the account's owner or an app has added.
    pub custom_fields: Option<Json>,
    /// The provider's own record.
    pub raw: RawRecord,
}

/// A page of repositories.
#[model]
pub struct CodeRepositoryPage {
    /// The repositories.
    pub items: Vec<CodeRepository>,
    /// Where the next page begins; none after the last.
    pub next_cursor: Option<String>,
}

/// Which repositories to list.
#[model(default)]
pub struct ListRepositories {
    /// Only those that have this text.
    pub search: Option<String>,
    /// How many at most on a page, 1 to 1000; a provider that allows fewer gives fewer. Default: as the provider does.
    pub page_size: Option<i32>,
    /// Where the last page ended.
    pub cursor: Option<String>,
}

/// How far a pull request is.
#[model]
pub enum PullRequestState {
    /// Being discussed.
    Open,
    /// Closed without a merge.
    Closed,
    /// Merged.
    Merged,
    /// A state of the provider's own: see `raw`.
    #[serde(other)]
    Other,
}

/// A change that is proposed.
#[model]
pub struct PullRequest {
    /// The provider's id.
    pub id: String,
    /// The provider's name.
    pub provider: String,
    /// The repository.
    pub repository_id: Option<String>,
    /// Its number there.
    pub number: Option<i64>,
    /// What it does.
    #[serde(default)]
    pub title: String,
    /// More about it.
    pub description: Option<String>,
    /// How far it is.
    pub state: Option<PullRequestState>,
    /// Whether it is not ready.
    #[serde(default)]
    pub is_draft: bool,
    /// Who proposes it.
    pub author: Option<Person>,
    /// The branch with the change.
    pub source_branch: Option<String>,
    /// The branch to change.
    pub target_branch: Option<String>,
    /// When it was merged.
    pub merged_at: Option<DateTime<Utc>>,
    /// When it was made.
    pub created_at: Option<DateTime<Utc>>,
    /// When it last changed.
    pub updated_at: Option<DateTime<Utc>>,
    /// Where a person opens it.
    pub web_url: Option<String>,
    /// Whether it is deleted or in the bin.
    #[serde(default)]
    pub deleted: bool,
    /// Fields that the account's owner or an app has added.
    pub custom_fields: Option<Json>,
    /// The provider's own record.
    pub raw: RawRecord,
}

/// A page of pull requests.
#[model]
pub struct PullRequestPage {
    /// The pull requests.
    pub items: Vec<PullRequest>,
    /// Where the next page begins; none after the last.
    pub next_cursor: Option<String>,
}

/// Which pull requests to list.
#[model(default)]
pub struct ListPullRequests {
    /// The repository.
    pub repository_id: String,
    /// Only those in this state. Default: all.
    pub state: Option<PullRequestState>,
    /// How many at most on a page, 1 to 1000; a provider that allows fewer gives fewer. Default: as the provider does.
    pub page_size: Option<i32>,
    /// Where the last page ended.
    pub cursor: Option<String>,
}

/// A pull request to open.
#[model(default)]
pub struct NewPullRequest {
    /// The repository.
    pub repository_id: String,
    /// What it does.
    pub title: String,
    /// The branch with the change.
    pub source_branch: String,
    /// The branch to change.
    pub target_branch: String,
    /// More about it.
    pub description: Option<String>,
    /// Whether it is not ready. Default: no.
    pub is_draft: Option<bool>,
}

/// What to change of a pull request. What is left out stays as it is.
#[model(default)]
pub struct PullRequestPatch {
    /// What it does.
    pub title: Option<String>,
    /// More about it.
    pub description: Option<String>,
    /// `closed` closes it, `open` opens it again. To merge it there is `merge_pull_request`.
    pub state: Option<PullRequestState>,
}

/// A commit.
#[model]
pub struct CodeCommit {
    /// Its hash.
    pub id: String,
    /// The provider's name.
    pub provider: String,
    /// The repository.
    pub repository_id: Option<String>,
    /// What it says it does.
    pub text: Option<String>,
    /// Who wrote it.
    pub author: Option<Person>,
    /// When it was made.
    pub committed_at: Option<DateTime<Utc>>,
    /// When it was made.
    pub created_at: Option<DateTime<Utc>>,
    /// When it last changed.
    pub updated_at: Option<DateTime<Utc>>,
    /// Where a person opens it.
    pub web_url: Option<String>,
    /// Whether it is deleted or in the bin.
    #[serde(default)]
    pub deleted: bool,
    /// Fields that the account's owner or an app has added.
    pub custom_fields: Option<Json>,
    /// The provider's own record.
    pub raw: RawRecord,
}

/// A page of commits.
#[model]
pub struct CodeCommitPage {
    /// The commits.
    pub items: Vec<CodeCommit>,
    /// Where the next page begins; none after the last.
    pub next_cursor: Option<String>,
}

/// Which commits to list.
#[model(default)]
pub struct ListCommits {
    /// The repository.
    pub repository_id: String,
    /// The branch, tag or commit to begin with. Default: the main branch.
    pub branch: Option<String>,
    /// How many at most on a page, 1 to 1000; a provider that allows fewer gives fewer. Default: as the provider does.
    pub page_size: Option<i32>,
    /// Where the last page ended.
    pub cursor: Option<String>,
}

/// A version that is given out.
#[model]
pub struct CodeRelease {
    /// The provider's id.
    pub id: String,
    /// The provider's name.
    pub provider: String,
    /// The repository.
    pub repository_id: Option<String>,
    /// Its name.
    pub name: Option<String>,
    /// The tag.
    pub tag: Option<String>,
    /// What is new.
    pub description: Option<String>,
    /// Whether it is not published.
    #[serde(default)]
    pub is_draft: bool,
    /// Whether it is for trying out.
    #[serde(default)]
    pub is_prerelease: bool,
    /// When it was published.
    pub published_at: Option<DateTime<Utc>>,
    /// When it was made.
    pub created_at: Option<DateTime<Utc>>,
    /// When it last changed.
    pub updated_at: Option<DateTime<Utc>>,
    /// Where a person opens it.
    pub web_url: Option<String>,
    /// Whether it is deleted or in the bin.
    #[serde(default)]
    pub deleted: bool,
    /// Fields that the account's owner or an app has added.
    pub custom_fields: Option<Json>,
    /// The provider's own record.
    pub raw: RawRecord,
}

/// A page of releases.
#[model]
pub struct CodeReleasePage {
    /// The releases.
    pub items: Vec<CodeRelease>,
    /// Where the next page begins; none after the last.
    pub next_cursor: Option<String>,
}

/// Which releases to list.
#[model(default)]
pub struct ListReleases {
    /// The repository.
    pub repository_id: String,
    /// How many at most on a page, 1 to 1000; a provider that allows fewer gives fewer. Default: as the provider does.
    pub page_size: Option<i32>,
    /// Where the last page ended.
    pub cursor: Option<String>,
}

/// A release to create.
#[model(default)]
pub struct NewRelease {
    /// The repository.
    pub repository_id: String,
    /// The tag, made on the main branch where it does not exist.
    pub tag: String,
    /// Its name.
    pub name: Option<String>,
    /// What is new.
    pub description: Option<String>,
    /// Whether it is not published. Default: no.
    pub is_draft: Option<bool>,
    /// Whether it is for trying out. Default: no.
    pub is_prerelease: Option<bool>,
}
