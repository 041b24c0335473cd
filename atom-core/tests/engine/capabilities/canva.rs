//! Canva, and Zeplin for what neither it nor Figma has: <https://www.canva.dev/docs/connect/api-reference/exports>.

use super::*;

pub(super) const MANIFEST: &str = include_str!("canva.toml");

/// Zeplin: <https://docs.zeplin.dev/reference/getorganizations>.
pub(super) const ZEPLIN: &str = r#"
[services.main.records.team]
id = "id"
name = "name"

[services.main.operations."design.list_teams"]
vendor_op = "GetOrganizations"
path = "/v1/organizations"
effect = "read"
defaults = { page_size = 30 }
max_page_size = 100
query = { limit = "{page_size}", offset = "{offset}" }
items = ""
pages = { by = "offset" }
record = "team"
"#;

on_both!(an_export_of_canva_takes_a_while_and_says_why_it_failed, |database| async move {
    let stage = Stage::new(&database, MANIFEST, "", |asked| match (asked.method.as_str(), asked.path.as_str()) {
        ("POST", "/rest/v1/exports") => reply(json!({"job": {"id": "e1", "status": "in_progress"}})),
        ("GET", "/rest/v1/exports/e1") => {
            reply(json!({"job": {"id": "e1", "status": "success", "urls": ["https://export.example/1.pdf", "https://export.example/2.pdf"]}}))
        }
        ("GET", "/rest/v1/exports/e2") => {
            reply(json!({"job": {"id": "e2", "status": "failed", "error": {"code": "license_required", "message": "User doesn't have the required license."}}}))
        }
        _ => reply(json!({"code": "not_found", "message": "Design not found"})).status(404),
    })
    .await;
    let design = stage.connection.design();
    let whole = NewDesignExport { file_id: "DAF1".into(), format: Some(DesignFormat::Pdf), ..Default::default() };
    let begun = design.render(whole.clone()).await.unwrap();
    assert!(matches!(begun.status, Some(DesignExportStatus::InProgress)) && begun.urls.is_empty());
    assert_eq!(stage.server.asked().pop().unwrap().json(), json!({"design_id": "DAF1", "format": {"type": "pdf"}}));
    let done = design.get_export(begun.id.unwrap()).await.unwrap();
    assert!(matches!(done.status, Some(DesignExportStatus::Succeeded)) && done.urls.len() == 2);
    let failed = design.get_export("e2".into()).await.unwrap();
    assert_eq!((failed.error.as_deref(), failed.urls.len()), (Some("license_required"), 0));
    assert_eq!(design.get_export("e3".into()).await.unwrap_err().reason(), "not_found_at_provider");
    let part = NewDesignExport { node_id: Some("1:2".into()), ..whole };
    assert_eq!(design.render(part).await.unwrap_err().reason(), "unsupported_input");
});

on_both!(the_designs_of_canva_are_listed_with_their_pages_and_remarks, |database| async move {
    let stage = Stage::new(&database, MANIFEST, "", |asked| {
        let file = json!({
            "id": "DAF1", "title": "Cards", "owner": {"user_id": "u1", "team_id": "t1"}, "thumbnail": {"width": 595, "height": 335, "url": "https://canva.example/t.png"},
            "urls": {"edit_url": "https://canva.example/e", "view_url": "https://canva.example/v"}, "created_at": 1_377_396_000, "updated_at": 1_692_928_800,
            "page_count": 3, "design_types": ["presentation"]
        });
        let author = json!({"id": "u1", "display_name": "Ada"});
        match (asked.method.as_str(), asked.path.as_str()) {
            ("GET", "/rest/v1/designs") if asked.query("continuation").is_none() => reply(json!({"items": [file], "continuation": "RkFGMg"})),
            ("GET", "/rest/v1/designs") => reply(json!({"items": []})),
            ("GET", "/rest/v1/designs/DAF1") => reply(json!({ "design": file })),
            ("GET", _) => reply(json!({"items": [{"id": "PB2", "index": 1, "page_number": 1, "design_type": "presentation"}, {"index": 2, "page_number": 2, "design_type": "presentation"}]})),
            (_, "/rest/v1/designs/DAF1/comments") => reply(json!({"thread": {"id": "K1", "design_id": "DAF1", "author": author, "created_at": 1_692_928_800,
                "updated_at": 1_692_928_900, "thread_type": {"type": "comment", "content": {"plaintext": "Larger"}, "mentions": {}}}})),
            _ => reply(json!({"reply": {"id": "R1", "design_id": "DAF1", "thread_id": "K1", "author": author, "content": {"plaintext": "Indeed"}, "mentions": {}, "created_at": 1_692_928_800}})),
        }
    })
    .await;
    let design = stage.connection.design();
    let first = design.list_files(ListDesignFiles { search: Some("cards".into()), ..Default::default() }).await.unwrap();
    assert_eq!(
        (first.items[0].page_count, first.items[0].thumbnail_url.as_deref()),
        (Some(3), Some("https://canva.example/t.png"))
    );
    let more = ListDesignFiles { search: Some("cards".into()), cursor: first.next_cursor, ..Default::default() };
    assert!(design.list_files(more).await.unwrap().next_cursor.is_none());
    assert_eq!(design.get_file("DAF1".into()).await.unwrap().owner.unwrap().id.as_deref(), Some("u1"));
    let pages = design.list_pages(ListDesignPages { file_id: "DAF1".into(), ..Default::default() }).await.unwrap().items;
    assert_eq!(
        (pages[0].id.as_str(), pages[1].id.as_str(), pages[1].position),
        ("PB2", "2", Some(2)),
        "not every page has an id"
    );
    let remark = NewDesignComment { file_id: "DAF1".into(), text: "Larger".into(), ..Default::default() };
    assert_eq!(design.create_comment(remark.clone()).await.unwrap().text.as_deref(), Some("Larger"));
    let answered = design.create_comment(NewDesignComment { parent_id: Some("K1".into()), ..remark }).await.unwrap();
    assert_eq!((answered.text.as_deref(), answered.parent_id.as_deref()), (Some("Indeed"), Some("K1")));
});

on_both!(the_teams_of_zeplin_are_its_organizations, |database| async move {
    let stage = Stage::new(&database, "", ZEPLIN, |asked| match asked.query("offset") {
        Some("0") => {
            reply(json!([{"id": "o1", "name": "Engines", "logo": "https://zeplin.example/l.png"}, {"id": "o2", "name": "Looms"}]))
        }
        _ => reply(json!([])),
    })
    .await;
    let teams = stage.connection.design().list_teams(Paging { page_size: Some(2), cursor: None }).await.unwrap();
    assert_eq!((teams.items[1].name.as_deref(), teams.items.len()), (Some("Looms"), 2));
    let next = Paging { page_size: Some(2), cursor: teams.next_cursor };
    assert!(stage.connection.design().list_teams(next).await.unwrap().items.is_empty());
});
