//! Texts with a form of their own, to plain text and back. What plain text cannot say is lost on the way to us, and stands in `raw`.

use serde_json::{Value, json};

/// How deep a document is followed.
const MAX_DEPTH: usize = 32;
/// Notion takes no longer text in one piece: <https://developers.notion.com/reference/request-limits>.
const NOTION_PIECE: usize = 2000;
/// And no more blocks in one request.
const NOTION_BLOCKS: usize = 100;

/// The text of an HTML document: tags are left out, blocks end a line.
pub(super) fn from_html(html: &str) -> String {
    let (mut out, mut rest, mut skipped) = (String::new(), html, None::<&str>);
    while !rest.is_empty() {
        let (text, after) = rest.split_at(rest.find('<').unwrap_or(rest.len()));
        if skipped.is_none() {
            out.push_str(&decode(text));
        }
        let Some((tag, after)) = after.strip_prefix('<').and_then(|tag| tag.split_once('>')) else { break };
        let is_end = tag.starts_with('/');
        let name: String = tag.trim_start_matches('/').chars().take_while(char::is_ascii_alphanumeric).collect();
        match (name.to_ascii_lowercase().as_str(), skipped) {
            (name, Some(open)) if is_end && name == open => skipped = None,
            (_, Some(_)) => {}
            ("script", None) if !is_end => skipped = Some("script"),
            ("style", None) if !is_end => skipped = Some("style"),
            ("br", None) => out.push('\n'),
            ("p" | "div" | "li" | "tr" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6" | "blockquote", None)
                if is_end && !out.ends_with('\n') =>
            {
                out.push('\n');
            }
            _ => {}
        }
        rest = after;
    }
    out.trim().to_owned()
}

fn decode(text: &str) -> String {
    let plain = text.replace("&nbsp;", " ").replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"");
    plain.replace("&#39;", "'").replace("&apos;", "'").replace("&amp;", "&")
}

pub(super) fn to_html(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\n', "<br>")
}

pub(super) fn from_slack(text: &str) -> String {
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

pub(super) fn to_slack(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// Older fields of Jira's are plain text.
pub(super) fn from_adf(value: &Value) -> Option<String> {
    if let Some(text) = value.as_str() {
        return Some(text.to_owned());
    }
    let mut out = String::new();
    adf_node(value, &mut out, 0)?;
    Some(out.trim_end().to_owned())
}

fn adf_node(node: &Value, out: &mut String, depth: usize) -> Option<()> {
    if depth > MAX_DEPTH {
        return Some(());
    }
    let kind = node.get("type")?.as_str()?;
    match kind {
        "text" => out.push_str(node.get("text").and_then(Value::as_str).unwrap_or_default()),
        "hardBreak" => out.push('\n'),
        "mention" | "emoji" => out.push_str(node.pointer("/attrs/text").and_then(Value::as_str).unwrap_or_default()),
        "inlineCard" => out.push_str(node.pointer("/attrs/url").and_then(Value::as_str).unwrap_or_default()),
        _ => {}
    }
    for inner in node.get("content").and_then(Value::as_array).into_iter().flatten() {
        adf_node(inner, out, depth + 1);
    }
    if matches!(kind, "paragraph" | "heading" | "codeBlock") {
        out.push('\n');
    }
    Some(())
}

/// A paragraph for each line: a text is never empty there.
pub(super) fn to_adf(text: &str) -> Value {
    let paragraph = |line: &str| {
        let content = if line.is_empty() { json!([]) } else { json!([{"type": "text", "text": line}]) };
        json!({"type": "paragraph", "content": content})
    };
    json!({"type": "doc", "version": 1, "content": text.lines().map(paragraph).collect::<Vec<_>>()})
}

pub(super) fn from_notion(value: &Value) -> Option<String> {
    let pieces = value.as_array()?.iter().filter_map(|piece| piece.get("plain_text").or_else(|| piece.pointer("/text/content")));
    Some(pieces.filter_map(Value::as_str).collect())
}

/// The one property of the type `title`: <https://developers.notion.com/reference/page-property-values#title>.
pub(super) fn from_notion_title(properties: &Value) -> Option<String> {
    let title = properties.as_object()?.values().find(|property| property["type"] == "title")?;
    from_notion(title.get("title")?)
}

/// A paragraph for each line; of more lines than a request may have paragraphs, several in each.
pub(super) fn to_notion_blocks(text: &str) -> Value {
    let lines: Vec<_> = text.lines().collect();
    let together = lines.len().div_ceil(NOTION_BLOCKS).max(1);
    let paragraph = |lines: &[&str]| json!({"type": "paragraph", "paragraph": {"rich_text": to_notion(&lines.join("\n"))}});
    lines.chunks(together).map(paragraph).collect()
}

/// Microsoft's body of a message, as text: <https://learn.microsoft.com/graph/api/resources/itembody>.
pub(super) fn from_graph(body: &Value) -> Option<String> {
    match graph_html(body) {
        Some(html) => Some(from_html(html)),
        None => body.get("content")?.as_str().map(str::to_owned),
    }
}

pub(super) fn graph_html(body: &Value) -> Option<&str> {
    let is_html = body.get("contentType")?.as_str()?.eq_ignore_ascii_case("html");
    body.get("content")?.as_str().filter(|_| is_html)
}

pub(super) fn to_notion(text: &str) -> Value {
    let letters: Vec<char> = text.chars().collect();
    let piece = |letters: &[char]| json!({"type": "text", "text": {"content": letters.iter().collect::<String>()}});
    letters.chunks(NOTION_PIECE).map(piece).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn html_becomes_text_line_by_line_and_text_becomes_html() {
        let html = "<style>p{}</style><p>Hi &amp; <b>bye</b></p><div>two<br/>three</div><script>alert('<p>')</script>";
        assert_eq!(from_html(html), "Hi & bye\ntwo\nthree");
        assert_eq!(to_html("a <b>\nc"), "a &lt;b&gt;<br>c");
        assert_eq!(from_html("&amp;lt;"), "&lt;");
        assert_eq!(from_html("<unended"), "");
    }

    #[test]
    fn documents_of_jira_and_notion_survive_both_directions_as_text() {
        for text in ["one line", "two\nlines", "a\n\nb"] {
            assert_eq!(from_adf(&to_adf(text)).as_deref(), Some(text));
        }
        let long = "x".repeat(4500);
        let pieces = to_notion(&long);
        assert_eq!(pieces.as_array().map(Vec::len), Some(3));
        assert_eq!(from_notion(&pieces).as_deref(), Some(long.as_str()));
        assert_eq!(to_notion(""), json!([]));
    }

    #[test]
    fn a_long_text_is_not_more_paragraphs_than_notion_takes() {
        let text = vec!["line"; 250].join("\n");
        let blocks = to_notion_blocks(&text);
        let blocks = blocks.as_array().expect("a list");
        assert_eq!(blocks.len(), 84);
        let texts = blocks.iter().map(|block| from_notion(&block["paragraph"]["rich_text"]).expect("text"));
        assert_eq!(texts.collect::<Vec<_>>().join("\n"), text);
    }

    #[test]
    fn a_title_is_found_by_its_type_and_a_body_read_by_its_own() {
        let properties = json!({"Done": {"type": "checkbox"}, "Name": {"type": "title", "title": [{"plain_text": "Notes"}]}});
        assert_eq!(from_notion_title(&properties).as_deref(), Some("Notes"));
        assert_eq!(from_notion_title(&json!({})), None);
        assert_eq!(from_graph(&json!({"contentType": "html", "content": "<p>Hi</p>"})).as_deref(), Some("Hi"));
        assert_eq!(from_graph(&json!({"contentType": "text", "content": "<p>"})).as_deref(), Some("<p>"));
    }
}
