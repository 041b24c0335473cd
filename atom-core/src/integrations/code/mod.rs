//! Code: one shape for repositories, pull requests and releases. Issues are tasks.

mod model;

pub use model::{
    CodeCommit, CodeCommitPage, CodeRelease, CodeReleasePage, CodeRepository, CodeRepositoryPage, ListCommits, ListPullRequests,
    ListReleases, ListRepositories, NewPullRequest, NewRelease, PullRequest, PullRequestPage, PullRequestPatch, PullRequestState,
};

use super::engine;
use super::shared::{MAX_PAGE, changed};
use crate::Result;
use crate::connect::Connection;
use atom_macros::{api, handle};
use serde_json::json;

/// The repositories of a connected account. Its issues are [`Connection::tasks`].
///
/// Where the provider lacks an operation or an input, a call fails with `unsupported` before anything is sent. `not_found`,
/// `conflict`, `rate_limited` (wait for `retry_after`), `reauth_required` (connect the account again), `unavailable` (call again
/// later) and `provider` (change the input) are what the provider itself says.
///
/// ```
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// # let (_atom, connection) = atom_core::testing::example().await?;
/// use atom_core::{ListPullRequests, NewPullRequest, PullRequestState};
///
/// let code = connection.code();
/// let notes = NewPullRequest {
///     repository_id: "ada/engine".into(),
///     title: "Add note G".into(),
///     source_branch: "notes".into(),
///     target_branch: "main".into(),
///     ..Default::default()
/// };
/// let notes = code.create_pull_request(notes).await?;
/// code.merge_pull_request(notes.id).await?;
///
/// let merged = ListPullRequests { repository_id: "ada/engine".into(), state: Some(PullRequestState::Merged), ..Default::default() };
/// assert_eq!(code.list_pull_requests(merged).await?.items[0].title, "Add note G");
/// # Ok::<(), atom_core::Error>(()) }).unwrap();
/// ```
#[handle]
pub struct Code {
    pub(crate) connection: Connection,
}

#[api]
impl Code {
    /// Lists repositories, a page at a time.
    pub async fn list_repositories(&self, filter: ListRepositories) -> Result<CodeRepositoryPage> {
        let page = engine::list(&self.connection, "code.list_repositories", MAX_PAGE, &filter).await?;
        Ok(CodeRepositoryPage { items: page.items, next_cursor: page.next_cursor })
    }

    /// One repository.
    pub async fn get_repository(&self, id: String) -> Result<CodeRepository> {
        engine::one(&self.connection, "code.get_repository", &json!({ "id": id })).await
    }

    /// Lists pull requests, newest first, a page at a time.
    pub async fn list_pull_requests(&self, filter: ListPullRequests) -> Result<PullRequestPage> {
        let page = engine::list(&self.connection, "code.list_pull_requests", MAX_PAGE, &filter).await?;
        Ok(PullRequestPage { items: page.items, next_cursor: page.next_cursor })
    }

    /// One pull request.
    pub async fn get_pull_request(&self, id: String) -> Result<PullRequest> {
        engine::one(&self.connection, "code.get_pull_request", &json!({ "id": id })).await
    }

    /// Opens a pull request.
    pub async fn create_pull_request(&self, pull_request: NewPullRequest) -> Result<PullRequest> {
        engine::one(&self.connection, "code.create_pull_request", &pull_request).await
    }

    /// Changes a pull request: only what is given.
    pub async fn update_pull_request(&self, id: String, changes: PullRequestPatch) -> Result<PullRequest> {
        engine::one(&self.connection, "code.update_pull_request", &changed(&id, &changes)?).await
    }

    /// Merges a pull request, as the repository does by default.
    ///
    /// Fails with `conflict` where it cannot be merged as it is.
    pub async fn merge_pull_request(&self, id: String) -> Result<()> {
        engine::done(&self.connection, "code.merge_pull_request", &json!({ "id": id })).await
    }

    /// Lists commits, newest first, a page at a time.
    pub async fn list_commits(&self, filter: ListCommits) -> Result<CodeCommitPage> {
        let page = engine::list(&self.connection, "code.list_commits", MAX_PAGE, &filter).await?;
        Ok(CodeCommitPage { items: page.items, next_cursor: page.next_cursor })
    }

    /// Lists releases, newest first, a page at a time.
    pub async fn list_releases(&self, filter: ListReleases) -> Result<CodeReleasePage> {
        let page = engine::list(&self.connection, "code.list_releases", MAX_PAGE, &filter).await?;
        Ok(CodeReleasePage { items: page.items, next_cursor: page.next_cursor })
    }

    /// Creates a release.
    pub async fn create_release(&self, release: NewRelease) -> Result<CodeRelease> {
        engine::one(&self.connection, "code.create_release", &release).await
    }
}
