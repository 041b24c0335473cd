//! What the social API takes and returns.

use crate::integrations::shared::Person;
use crate::{Bytes, Json, RawRecord};
use atom_macros::model;
use chrono::{DateTime, Utc};

/// Somebody, or an organization, at a social network.
#[model]
pub struct SocialProfile {
    /// The provider's id.
    pub id: String,
    /// The provider's name.
    pub provider: String,
    /// The name to show.
    pub name: Option<String>,
    /// The name they are addressed by, without `@`.
    pub handle: Option<String>,
    /// What they say about themselves.
    pub description: Option<String>,
    /// Their picture.
    pub avatar_url: Option<String>,
    /// Whether the network has checked who they are.
    pub is_verified: Option<bool>,
    /// How many follow them.
    pub followers: Option<i64>,
    /// How many they follow.
    pub following: Option<i64>,
    /// How many posts they have.
    pub posts: Option<i64>,
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

/// Who sees a post.
#[model]
pub enum PostVisibility {
    /// Everybody.
    Public,
    /// Those who follow or are connected.
    Followers,
    /// Those who are mentioned, or nobody.
    Private,
    /// A state of the provider's own: see `raw`.
    #[serde(other)]
    Other,
}

/// How often something was done with a post. What the provider does not count is absent.
#[model(default)]
pub struct PostMetrics {
    /// Likes and other reactions.
    pub likes: Option<i64>,
    /// Answers.
    pub comments: Option<i64>,
    /// Shares without a text of their own.
    pub shares: Option<i64>,
    /// Shares with one.
    pub quotes: Option<i64>,
    /// How often it was shown.
    pub impressions: Option<i64>,
    /// How often it was clicked on.
    pub clicks: Option<i64>,
    /// How often it was kept.
    pub bookmarks: Option<i64>,
}

/// A picture or a video of a post.
#[model(default)]
pub struct SocialMedia {
    /// The provider's id of what was uploaded.
    pub id: Option<String>,
    /// What it is, in the provider's words: `photo`.
    pub kind: Option<String>,
    /// Where it is.
    pub url: Option<String>,
    /// What it shows, in words.
    pub alt_text: Option<String>,
}

/// Something that was published.
#[model]
pub struct SocialPost {
    /// The provider's id.
    pub id: String,
    /// The provider's name.
    pub provider: String,
    /// Whose it is: the id of a profile. Default: the account's own.
    pub author_id: Option<String>,
    /// Its text.
    pub text: Option<String>,
    /// Who sees it.
    pub visibility: Option<PostVisibility>,
    /// The post it answers.
    pub reply_to_id: Option<String>,
    /// The post it shares.
    pub quoted_id: Option<String>,
    /// The address it leads to.
    pub link_url: Option<String>,
    /// The ids of what was uploaded for it.
    #[serde(default)]
    pub media_ids: Vec<String>,
    /// What it shows.
    #[serde(default)]
    pub media: Vec<SocialMedia>,
    /// The post that the conversation began with.
    pub conversation_id: Option<String>,
    /// Its language (BCP 47), as far as the provider knows.
    pub language: Option<String>,
    /// What was done with it, where the provider counts it.
    pub metrics: Option<PostMetrics>,
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

/// A page of posts.
#[model]
pub struct SocialPostPage {
    /// The posts.
    pub items: Vec<SocialPost>,
    /// Where the next page begins; none after the last.
    pub next_cursor: Option<String>,
}

/// Which posts to list.
#[model(default)]
pub struct ListPosts {
    /// Only those of this profile. Default: the account's own.
    pub author_id: Option<String>,
    /// Only those that have this text.
    pub search: Option<String>,
    /// Only those published after this moment.
    pub after: Option<DateTime<Utc>>,
    /// How many at most on a page, 1 to 1000; a provider that allows fewer gives fewer. Default: as the provider does.
    pub page_size: Option<i32>,
    /// Where the last page ended.
    pub cursor: Option<String>,
}

/// A post to publish.
#[model(default)]
pub struct NewSocialPost {
    /// Whose it is: the id of a profile. Default: the account's own.
    pub author_id: Option<String>,
    /// Its text.
    pub text: String,
    /// Who sees it.
    pub visibility: Option<PostVisibility>,
    /// The post it answers.
    pub reply_to_id: Option<String>,
    /// The post it shares.
    pub quoted_id: Option<String>,
    /// The address it leads to.
    pub link_url: Option<String>,
    /// The ids of what was uploaded for it.
    pub media_ids: Option<Vec<String>>,
}

/// An answer to a post.
#[model]
pub struct SocialComment {
    /// The provider's id.
    pub id: String,
    /// The provider's name.
    pub provider: String,
    /// The post.
    pub post_id: Option<String>,
    /// Its text.
    pub text: Option<String>,
    /// Who wrote it.
    pub author: Option<Person>,
    /// The comment it answers.
    pub parent_id: Option<String>,
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

/// A page of comments.
#[model]
pub struct SocialCommentPage {
    /// The comments.
    pub items: Vec<SocialComment>,
    /// Where the next page begins; none after the last.
    pub next_cursor: Option<String>,
}

/// Which comments to list.
#[model(default)]
pub struct ListSocialComments {
    /// The post.
    pub post_id: String,
    /// How many at most on a page, 1 to 1000; a provider that allows fewer gives fewer. Default: as the provider does.
    pub page_size: Option<i32>,
    /// Where the last page ended.
    pub cursor: Option<String>,
}

/// A comment to write.
#[model(default)]
pub struct NewSocialComment {
    /// The post.
    pub post_id: String,
    /// Its text.
    pub text: String,
    /// The comment it answers.
    pub parent_id: Option<String>,
}

/// A picture or a video to upload.
#[model(default)]
pub struct NewSocialMedia {
    /// Its content.
    pub content: Bytes,
    /// Its MIME type: `image/png`.
    pub mime_type: String,
    /// What it shows, in words.
    pub alt_text: Option<String>,
}

/// What was uploaded, and can be part of a post.
#[model]
pub struct UploadedMedia {
    /// The provider's id: pass it in `media_ids`.
    pub id: String,
    /// The provider's name.
    pub provider: String,
    /// Until when it can be used.
    pub expires_at: Option<DateTime<Utc>>,
    /// Whether it can be used now: some providers work on a video first.
    pub is_ready: Option<bool>,
    /// The provider's own record.
    pub raw: RawRecord,
}
