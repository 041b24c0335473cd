//! The GitHub of `emulate`.
//!
//! | where it does less than GitHub | what is done |
//! | --- | --- |
//! | the PKCE verifier is not looked at | the double of `conformance/` judges it |
//! | the empty body of a merge is not taken | the script makes it an empty object |
//! | tokens do not expire, and there are no refresh tokens | refreshing is tested elsewhere |
//! | an unknown token counts as a user's | nothing is tested with a wrong one |
//! | `DELETE /applications/{client_id}/token` is not there | revoking is not tested |
//! | `GET /issues` is not there | issues are listed of one repository |
//! | the raw form of a file's content is not known | `github.get_file` is not tested |
//! | workflows are not kept | `github.run_workflow` is not tested |
//!
//! GitHub itself deletes no issue: what a user of it would do instead is to close it.

use super::*;
use crate::peers::skipped;
use serde_json::json;

const REPOSITORY: &str = "ada/engine";

fn place() -> Option<Place> {
    Place::start("github", "github.mjs", "atom")
}

async fn connected(place: &Place, scope: &Scope) -> Connection {
    let connection = place.consent(scope, "value=\"ada\"").await;
    let account = connection.account().await.unwrap();
    assert_eq!((account.label.as_deref(), account.email.as_deref()), (Some("ada"), Some("ada@example.com")));
    assert!(account.scopes.iter().any(|scope| scope == "repo"), "{:?}", account.scopes);
    connection
}

on_both!(issues_are_created_listed_changed_found_and_closed, |database| async move {
    let Some(place) = place() else { return skipped() };
    let (_atom, scope) = place.scope(&database).await;
    let connection = connected(&place, &scope).await;
    let tasks = connection.tasks();

    let projects = pages(async |cursor| {
        let page = tasks.list_projects(ListProjects { page_size: Some(2), cursor, ..Default::default() }).await.unwrap();
        (page.items, page.next_cursor)
    })
    .await;
    assert_eq!(sizes(&projects), [2, 1]);
    let project = projects.into_iter().flatten().find(|project| project.id == REPOSITORY).unwrap();
    assert_eq!(tasks.get_project(REPOSITORY.into()).await.unwrap(), project);
    let found = tasks.list_projects(ListProjects { search: Some("loom".into()), ..Default::default() }).await.unwrap();
    assert_eq!(found.items.iter().map(|project| project.id.as_str()).collect::<Vec<_>>(), ["ada/loom"]);

    let mut created = Vec::new();
    for title in ["Grease the axle", "Count the \"teeth\" & cogs", "Oil"] {
        let task = NewTask {
            title: title.into(),
            description: Some("Note A: naïve – 数".into()),
            project_id: Some(REPOSITORY.into()),
            assignee_ids: Some(vec!["charles".into()]),
            tags: Some(vec!["brass".into()]),
            ..Default::default()
        };
        let task = tasks.create(task).await.unwrap();
        assert_eq!((task.title.as_str(), task.description.as_deref()), (title, Some("Note A: naïve – 数")));
        assert_eq!((task.status, task.project_id.as_deref()), (Some(TaskStatus::Open), Some(REPOSITORY)));
        assert_eq!((task.tags.as_slice(), task.assignees[0].id.as_deref()), (&["brass".to_owned()][..], Some("charles")));
        assert_eq!(task.creator.as_ref().and_then(|creator| creator.id.as_deref()), Some("ada"));
        assert_eq!(tasks.get(task.id.clone()).await.unwrap(), task);
        created.push(task);
    }
    let of_engine = ListTasks { project_id: Some(REPOSITORY.into()), ..Default::default() };
    let listed = pages(async |cursor| {
        let page = tasks.list(ListTasks { page_size: Some(2), cursor, ..of_engine.clone() }).await.unwrap();
        (page.items, page.next_cursor)
    })
    .await;
    assert_eq!(sizes(&listed), [2, 1]);
    let mut listed: Vec<_> = listed.into_iter().flatten().collect();
    listed.sort_by(|a, b| a.id.cmp(&b.id));
    assert_eq!(listed, created);

    let changes = TaskPatch { title: Some("Oil the axle".into()), tags: Some(Vec::new()), ..Default::default() };
    let oiled = tasks.update(created[2].id.clone(), changes).await.unwrap();
    assert_eq!((oiled.title.as_str(), oiled.tags.len(), &oiled.description), ("Oil the axle", 0, &created[2].description));
    let closed = TaskPatch { status: Some(TaskStatus::Cancelled), ..Default::default() };
    let closed = tasks.update(created[0].id.clone(), closed).await.unwrap();
    assert_eq!((closed.status, closed.completed_at.is_some()), (Some(TaskStatus::Cancelled), true));
    assert_eq!(tasks.get(closed.id.clone()).await.unwrap(), closed);

    let open = tasks.list(ListTasks { status: Some(TaskStatus::Open), ..of_engine.clone() }).await.unwrap();
    assert_eq!(open.items.iter().map(|task| &task.id).collect::<BTreeSet<_>>(), [&created[1].id, &oiled.id].into());
    let filter = ListTasks { search: Some("axle".into()), status: Some(TaskStatus::Open), ..of_engine };
    assert_eq!(tasks.list(filter).await.unwrap().items, [oiled]);

    for text in ["first", "second", "third"] {
        let comment = tasks.add_comment(closed.id.clone(), text.into()).await.unwrap();
        assert_eq!((comment.text.as_deref(), comment.task_id.as_deref()), (Some(text), Some(closed.id.as_str())));
    }
    let comments = pages(async |cursor| {
        let filter = ListComments { task_id: closed.id.clone(), page_size: Some(2), cursor };
        let page = tasks.list_comments(filter).await.unwrap();
        (page.items, page.next_cursor)
    })
    .await;
    assert_eq!(sizes(&comments), [2, 1]);
    let texts: Vec<_> = comments.into_iter().flatten().filter_map(|comment| comment.text).collect();
    assert_eq!(texts, ["first", "second", "third"]);

    let missing = tasks.get(format!("{REPOSITORY}/issues/99")).await.err().unwrap();
    assert_eq!((missing.kind(), missing.status()), (ErrorKind::NotFound, Some(404)));
    assert_eq!(tasks.remove(closed.id).await.err().unwrap().kind(), ErrorKind::Unsupported);
    was_whole("github::issues_are_created_listed_changed_found_and_closed", &connection).await;
});

on_both!(pull_requests_are_created_listed_changed_and_merged, |database| async move {
    let Some(place) = place() else { return skipped() };
    let (_atom, scope) = place.scope(&database).await;
    let connection = connected(&place, &scope).await;
    let code = connection.code();

    let repositories = pages(async |cursor| {
        let page = code.list_repositories(ListRepositories { page_size: Some(2), cursor, ..Default::default() }).await.unwrap();
        (page.items, page.next_cursor)
    })
    .await;
    assert_eq!(sizes(&repositories), [2, 1]);
    let repository = repositories.into_iter().flatten().find(|repository| repository.id == REPOSITORY).unwrap();
    assert_eq!((repository.default_branch.as_deref(), repository.is_private), (Some("main"), false));
    assert_eq!(code.get_repository(REPOSITORY.into()).await.unwrap(), repository);
    let search = ListRepositories { search: Some("mill".into()), ..Default::default() };
    assert_eq!(code.list_repositories(search).await.unwrap().items[0].id, "ada/mill");

    let mut opened = Vec::new();
    for (branch, is_draft) in [("notes", None), ("cards", Some(true)), ("cogs", None)] {
        let pull_request = NewPullRequest {
            repository_id: REPOSITORY.into(),
            title: format!("Add {branch}"),
            source_branch: branch.into(),
            target_branch: "main".into(),
            description: Some("Note B".into()),
            is_draft,
        };
        let pull_request = code.create_pull_request(pull_request).await.unwrap();
        let branches = (pull_request.source_branch.as_deref(), pull_request.target_branch.as_deref());
        assert_eq!((branches, pull_request.is_draft), ((Some(branch), Some("main")), is_draft.is_some()));
        assert_eq!((pull_request.state, pull_request.repository_id.as_deref()), (Some(PullRequestState::Open), Some(REPOSITORY)));
        assert_eq!(code.get_pull_request(pull_request.id.clone()).await.unwrap(), pull_request);
        opened.push(pull_request);
    }
    let changes = PullRequestPatch { title: Some("Add the notes".into()), ..Default::default() };
    let renamed = code.update_pull_request(opened[0].id.clone(), changes).await.unwrap();
    assert_eq!((renamed.title.as_str(), &renamed.description), ("Add the notes", &opened[0].description));
    let changes = PullRequestPatch { state: Some(PullRequestState::Closed), ..Default::default() };
    assert_eq!(code.update_pull_request(opened[1].id.clone(), changes).await.unwrap().state, Some(PullRequestState::Closed));
    code.merge_pull_request(opened[0].id.clone()).await.unwrap();
    let merged = code.get_pull_request(opened[0].id.clone()).await.unwrap();
    assert_eq!((merged.state, merged.merged_at.is_some()), (Some(PullRequestState::Merged), true));
    let again = code.merge_pull_request(opened[0].id.clone()).await.err().unwrap();
    assert!(matches!(again.kind(), ErrorKind::Invalid | ErrorKind::Conflict), "{again}");

    let all = pages(async |cursor| {
        let filter = ListPullRequests { repository_id: REPOSITORY.into(), page_size: Some(2), cursor, ..Default::default() };
        let page = code.list_pull_requests(filter).await.unwrap();
        (page.items, page.next_cursor)
    })
    .await;
    assert_eq!(sizes(&all), [2, 1]);
    let open = ListPullRequests { repository_id: REPOSITORY.into(), state: Some(PullRequestState::Open), ..Default::default() };
    // A list has less of each, as GitHub's has.
    let mut listed = code.list_pull_requests(open).await.unwrap().items;
    let last = opened.pop().unwrap();
    listed[0].raw.clone_from(&last.raw);
    assert_eq!(listed, [last]);

    let commits = ListCommits { repository_id: REPOSITORY.into(), branch: Some("main".into()), ..Default::default() };
    let commits = code.list_commits(commits).await.unwrap().items;
    assert!(
        commits.len() >= 2 && commits.iter().all(|commit| commit.repository_id.as_deref() == Some(REPOSITORY)),
        "{commits:?}"
    );
    let listed = connection.call("github.list_branches".into(), Json(json!({ "repository_id": REPOSITORY }))).await.unwrap();
    let branches: Vec<_> = listed.0["items"].as_array().unwrap().iter().map(|branch| branch["name"].as_str().unwrap()).collect();
    assert_eq!(branches, ["cards", "cogs", "main", "notes"]);

    let release = NewRelease {
        repository_id: REPOSITORY.into(),
        tag: "v1.0.0".into(),
        name: Some("The first".into()),
        is_prerelease: Some(true),
        ..Default::default()
    };
    let release = code.create_release(release).await.unwrap();
    assert_eq!(
        (release.tag.as_deref(), release.name.as_deref(), release.is_prerelease),
        (Some("v1.0.0"), Some("The first"), true)
    );
    let releases = ListReleases { repository_id: REPOSITORY.into(), ..Default::default() };
    assert_eq!(code.list_releases(releases).await.unwrap().items, [release]);
    was_whole("github::pull_requests_are_created_listed_changed_and_merged", &connection).await;
});
