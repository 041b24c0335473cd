//! Social networks: one shape for profiles, posts and comments.

mod model;

pub use model::{
    ListPosts, ListSocialComments, NewSocialComment, NewSocialMedia, NewSocialPost, PostMetrics, PostVisibility, SocialComment,
    SocialCommentPage, SocialMedia, SocialPost, SocialPostPage, SocialProfile, UploadedMedia,
};

use super::engine;
use super::shared::MAX_PAGE;
use crate::Result;
use crate::connect::Connection;
use atom_macros::{api, handle};
use serde_json::json;

/// The social network account of a connected account.
///
/// Where the provider lacks an operation or an input, a call fails with `unsupported` before anything is sent. `not_found`,
/// `conflict`, `rate_limited` (wait for `retry_after`), `reauth_required` (connect the account again), `unavailable` (call again
/// later) and `provider` (change the input) are what the provider itself says.
///
/// ```
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// # let (_atom, connection) = atom_core::testing::example().await?;
/// use atom_core::{ListSocialComments, NewSocialComment, NewSocialPost};
///
/// let social = connection.social();
/// let post = NewSocialPost { text: "It weaves algebraical patterns.".into(), ..Default::default() };
/// let post = social.create_post(post).await?;
/// let answer = NewSocialComment { post_id: post.id.clone(), text: "As the loom weaves flowers.".into(), ..Default::default() };
/// social.create_comment(answer).await?;
///
/// let answers = social.list_comments(ListSocialComments { post_id: post.id, ..Default::default() }).await?;
/// assert_eq!(answers.items[0].text.as_deref(), Some("As the loom weaves flowers."));
/// # Ok::<(), atom_core::Error>(()) }).unwrap();
/// ```
#[handle]
pub struct Social {
    pub(crate) connection: Connection,
}

#[api]
impl Social {
    /// The account's own profile.
    pub async fn me(&self) -> Result<SocialProfile> {
        engine::one(&self.connection, "social.get_me", &json!({})).await
    }

    /// One profile.
    pub async fn get_profile(&self, id: String) -> Result<SocialProfile> {
        engine::one(&self.connection, "social.get_profile", &json!({ "id": id })).await
    }

    /// Lists posts, a page at a time.
    pub async fn list_posts(&self, filter: ListPosts) -> Result<SocialPostPage> {
        let page = engine::list(&self.connection, "social.list_posts", MAX_PAGE, &filter).await?;
        Ok(SocialPostPage { items: page.items, next_cursor: page.next_cursor })
    }

    /// One post.
    pub async fn get_post(&self, id: String) -> Result<SocialPost> {
        engine::one(&self.connection, "social.get_post", &json!({ "id": id })).await
    }

    /// Creates a post. Repeating the call creates another, unless the provider recognizes the repetition.
    pub async fn create_post(&self, post: NewSocialPost) -> Result<SocialPost> {
        engine::one(&self.connection, "social.create_post", &post).await
    }

    /// Deletes a post.
    pub async fn delete_post(&self, id: String) -> Result<()> {
        engine::done(&self.connection, "social.delete_post", &json!({ "id": id })).await
    }

    /// What was done with a post.
    pub async fn metrics(&self, id: String) -> Result<PostMetrics> {
        engine::one(&self.connection, "social.get_metrics", &json!({ "id": id })).await
    }

    /// Lists comments, a page at a time.
    pub async fn list_comments(&self, filter: ListSocialComments) -> Result<SocialCommentPage> {
        let page = engine::list(&self.connection, "social.list_comments", MAX_PAGE, &filter).await?;
        Ok(SocialCommentPage { items: page.items, next_cursor: page.next_cursor })
    }

    /// Creates a comment. Repeating the call creates another, unless the provider recognizes the repetition.
    pub async fn create_comment(&self, comment: NewSocialComment) -> Result<SocialComment> {
        engine::one(&self.connection, "social.create_comment", &comment).await
    }

    /// Deletes a comment. Some providers need the post that it answers.
    pub async fn delete_comment(&self, id: String, post_id: Option<String>) -> Result<()> {
        engine::done(&self.connection, "social.delete_comment", &json!({ "id": id, "post_id": post_id })).await
    }

    /// Uploads a picture or a video, to be shown by a post. Repeating the call uploads it again.
    pub async fn upload_media(&self, media: NewSocialMedia) -> Result<UploadedMedia> {
        engine::one(&self.connection, "social.upload_media", &media).await
    }
}
