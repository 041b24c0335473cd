//! Design: one shape for documents, their parts, comments and exports.

mod model;

pub use model::{
    DesignComment, DesignCommentPage, DesignComponent, DesignComponentPage, DesignExport, DesignExportStatus, DesignFile,
    DesignFilePage, DesignFormat, DesignFrame, DesignPage, DesignPagePage, DesignProject, DesignProjectPage, DesignTeam,
    DesignTeamPage, ListDesignComments, ListDesignComponents, ListDesignFiles, ListDesignPages, ListDesignProjects,
    NewDesignComment, NewDesignExport,
};

use super::engine;
use super::shared::{MAX_PAGE, Paging};
use crate::Result;
use crate::connect::Connection;
use atom_macros::{api, handle};
use serde_json::json;

/// The designs of a connected account.
///
/// Where the provider lacks an operation or an input, a call fails with `unsupported` before anything is sent. `not_found`,
/// `conflict`, `rate_limited` (wait for `retry_after`), `reauth_required` (connect the account again), `unavailable` (call again
/// later) and `provider` (change the input) are what the provider itself says.
///
/// ```
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// # let (_atom, connection) = atom_core::testing::example().await?;
/// use atom_core::{ListDesignComments, NewDesignComment};
///
/// let design = connection.design();
/// let remark = NewDesignComment { file_id: "cards".into(), text: "Larger".into(), ..Default::default() };
/// let remark = design.create_comment(remark).await?;
///
/// let remarks = design.list_comments(ListDesignComments { file_id: "cards".into(), ..Default::default() }).await?;
/// assert_eq!(remarks.items[0].id, remark.id);
/// # Ok::<(), atom_core::Error>(()) }).unwrap();
/// ```
#[handle]
pub struct Design {
    pub(crate) connection: Connection,
}

#[api]
impl Design {
    /// Lists files, a page at a time.
    pub async fn list_files(&self, filter: ListDesignFiles) -> Result<DesignFilePage> {
        let page = engine::list(&self.connection, "design.list_files", MAX_PAGE, &filter).await?;
        Ok(DesignFilePage { items: page.items, next_cursor: page.next_cursor })
    }

    /// One file.
    pub async fn get_file(&self, id: String) -> Result<DesignFile> {
        engine::one(&self.connection, "design.get_file", &json!({ "id": id })).await
    }

    /// Lists pages, a page at a time.
    pub async fn list_pages(&self, filter: ListDesignPages) -> Result<DesignPagePage> {
        let page = engine::list(&self.connection, "design.list_pages", MAX_PAGE, &filter).await?;
        Ok(DesignPagePage { items: page.items, next_cursor: page.next_cursor })
    }

    /// Lists components, a page at a time.
    pub async fn list_components(&self, filter: ListDesignComponents) -> Result<DesignComponentPage> {
        let page = engine::list(&self.connection, "design.list_components", MAX_PAGE, &filter).await?;
        Ok(DesignComponentPage { items: page.items, next_cursor: page.next_cursor })
    }

    /// Lists comments, a page at a time.
    pub async fn list_comments(&self, filter: ListDesignComments) -> Result<DesignCommentPage> {
        let page = engine::list(&self.connection, "design.list_comments", MAX_PAGE, &filter).await?;
        Ok(DesignCommentPage { items: page.items, next_cursor: page.next_cursor })
    }

    /// Creates a comment. Repeating the call creates another, unless the provider recognizes the repetition.
    pub async fn create_comment(&self, comment: NewDesignComment) -> Result<DesignComment> {
        engine::one(&self.connection, "design.create_comment", &comment).await
    }

    /// Deletes a comment.
    pub async fn delete_comment(&self, file_id: String, id: String) -> Result<()> {
        engine::done(&self.connection, "design.delete_comment", &json!({ "file_id": file_id, "id": id })).await
    }

    /// Lists projects, a page at a time.
    pub async fn list_projects(&self, filter: ListDesignProjects) -> Result<DesignProjectPage> {
        let page = engine::list(&self.connection, "design.list_projects", MAX_PAGE, &filter).await?;
        Ok(DesignProjectPage { items: page.items, next_cursor: page.next_cursor })
    }

    /// Lists teams, a page at a time.
    pub async fn list_teams(&self, filter: Paging) -> Result<DesignTeamPage> {
        let page = engine::list(&self.connection, "design.list_teams", MAX_PAGE, &filter).await?;
        Ok(DesignTeamPage { items: page.items, next_cursor: page.next_cursor })
    }

    /// Makes a picture or a document of a design. Where it takes a while, the answer has an id and the status `in_progress`.
    pub async fn render(&self, request: NewDesignExport) -> Result<DesignExport> {
        engine::one(&self.connection, "design.export", &request).await
    }

    /// How far an export is.
    pub async fn get_export(&self, id: String) -> Result<DesignExport> {
        engine::one(&self.connection, "design.get_export", &json!({ "id": id })).await
    }
}
