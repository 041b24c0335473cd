//! Figma: <https://github.com/figma/rest-api-spec>.

use super::*;

pub(super) const MANIFEST: &str = include_str!("figma.toml");

on_both!(the_files_of_figma_have_pages_with_frames_and_parts, |database| async move {
    let stage = Stage::new(&database, MANIFEST, "", |asked| match asked.path.as_str() {
        "/v1/teams/t1/projects" => reply(json!({"name": "Engines", "projects": [{"id": "p1", "name": "Loom"}]})),
        "/v1/projects/p1/files" => {
            reply(json!({"name": "Loom", "files": [{"key": "f1", "name": "Cards", "thumbnail_url": "https://figma.example/t.png", "last_modified": "2026-11-01T08:00:00Z"}]}))
        }
        "/v1/files/f1/meta" => reply(json!({"name": "Cards", "folder_name": "Loom", "last_touched_at": "2026-11-01T08:00:00Z", "creator": {"id": "9", "handle": "Ada", "img_url": ""},
            "editorType": "figma", "version": "42", "url": "https://www.figma.com/design/f1"})),
        "/v1/files/f1" => reply(json!({"name": "Cards", "lastModified": "2026-11-01T08:00:00Z", "version": "42", "document": {"id": "0:0", "type": "DOCUMENT", "children": [
            {"id": "0:1", "name": "Page 1", "type": "CANVAS", "children": [{"id": "1:2", "name": "Front", "type": "FRAME"}, {"id": "1:3", "name": "Note", "type": "TEXT"}]}
        ]}, "components": {}, "schemaVersion": 0})),
        "/v1/files/f1/components" => reply(json!({"status": 200, "error": false, "meta": {"components": [{"key": "c1", "file_key": "f1", "node_id": "1:9", "name": "Button",
            "description": "To press", "created_at": "2026-10-01T08:00:00Z", "updated_at": "2026-11-01T08:00:00Z", "user": {"id": "9", "handle": "Ada"}}]}})),
        _ => reply(json!({"status": 404, "err": "Not found"})).status(404),
    })
    .await;
    let design = stage.connection.design();
    let projects = design.list_projects(ListDesignProjects { team_id: Some("t1".into()), ..Default::default() }).await.unwrap();
    assert_eq!((projects.items[0].id.as_str(), projects.items[0].team_id.as_deref()), ("p1", Some("t1")));
    let files = design.list_files(ListDesignFiles { project_id: Some("p1".into()), ..Default::default() }).await.unwrap();
    assert_eq!((files.items[0].id.as_str(), files.items[0].project_id.as_deref()), ("f1", Some("p1")));
    let file = design.get_file("f1".into()).await.unwrap();
    assert_eq!(
        (file.id.as_str(), file.version.as_deref(), file.owner.and_then(|owner| owner.name)),
        ("f1", Some("42"), Some("Ada".into()))
    );
    let pages = design.list_pages(ListDesignPages { file_id: "f1".into(), ..Default::default() }).await.unwrap();
    assert_eq!(
        (pages.items[0].id.as_str(), pages.items[0].frames.len(), pages.items[0].frames[0].kind.as_deref()),
        ("0:1", 2, Some("FRAME"))
    );
    assert_eq!(stage.server.asked().pop().unwrap().query("depth"), Some("2"));
    let parts = design.list_components(ListDesignComponents { file_id: "f1".into(), ..Default::default() }).await.unwrap();
    assert_eq!((parts.items[0].name.as_deref(), parts.items[0].node_id.as_deref()), (Some("Button"), Some("1:9")));
    assert_eq!(design.get_file("f2".into()).await.unwrap_err().reason(), "not_found_at_provider");
});

on_both!(a_design_of_figma_is_rendered_and_spoken_about, |database| async move {
    let stage = Stage::new(&database, MANIFEST, "", |asked| {
        let comment = json!({
            "id": "77", "file_key": "f1", "parent_id": "", "message": "Larger", "created_at": "2026-11-01T08:00:00Z", "resolved_at": null, "order_id": "3",
            "client_meta": {"node_id": "1:2", "node_offset": {"x": 1, "y": 2}}, "user": {"id": "9", "handle": "Ada", "img_url": ""}, "reactions": []
        });
        match (asked.method.as_str(), asked.path.as_str()) {
            ("GET", "/v1/images/f1") => reply(json!({"err": null, "images": {"1:2": "https://images.example/a.png", "1:3": null}})),
            ("GET", _) => reply(json!({"comments": [comment]})),
            ("DELETE", _) => reply(json!({"status": 200, "error": false})),
            _ => reply(comment),
        }
    })
    .await;
    let design = stage.connection.design();
    let sent = || stage.server.asked().pop().unwrap();
    let frame = NewDesignExport {
        file_id: "f1".into(),
        node_id: Some("1:2".into()),
        format: Some(DesignFormat::Svg),
        ..Default::default()
    };
    assert_eq!(design.render(frame).await.unwrap().urls, ["https://images.example/a.png"], "a part that failed has no address");
    assert_eq!((sent().query("ids"), sent().query("format")), (Some("1:2"), Some("svg")));
    let listed = design.list_comments(ListDesignComments { file_id: "f1".into(), ..Default::default() }).await.unwrap();
    let comment = &listed.items[0];
    assert_eq!(
        (comment.text.as_deref(), comment.node_id.as_deref(), comment.parent_id.as_deref()),
        (Some("Larger"), Some("1:2"), None)
    );
    assert!(comment.created_at.is_some() && comment.resolved_at.is_none());
    let new = NewDesignComment { file_id: "f1".into(), text: "Larger".into(), node_id: Some("1:2".into()), parent_id: None };
    design.create_comment(new.clone()).await.unwrap();
    assert_eq!(sent().json(), json!({"message": "Larger", "client_meta": {"node_id": "1:2", "node_offset": {"x": 0, "y": 0}}}));
    design.create_comment(NewDesignComment { parent_id: Some("77".into()), node_id: None, ..new }).await.unwrap();
    assert_eq!(sent().json(), json!({"message": "Larger", "comment_id": "77"}));
    design.delete_comment("f1".into(), "77".into()).await.unwrap();
    assert_eq!((sent().method.as_str(), sent().path.as_str()), ("DELETE", "/v1/files/f1/comments/77"));
});
