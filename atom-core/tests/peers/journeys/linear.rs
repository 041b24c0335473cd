//! The Linear of `emulate`.
//!
//! Its GraphQL schema is not Linear's, so that no document of ours would pass: the script takes out what its schema does not know, and writes
//! filters as it has them. Whether the documents fit Linear's own schema is judged by `conformance/`.
//!
//! | where it does less than Linear | what is done |
//! | --- | --- |
//! | `trashed` and `parent` of an issue, `url` of a comment, `organization` of a user | taken out: these fields are not compared |
//! | filters of comments and of states | taken out: the test leaves out the others |
//! | `searchableContent` | looked for in the title only |
//! | `updatedAt` and `containsIgnoreCase` in filters | not tested |
//! | a deleted issue is gone instead of in the bin | it is looked for in the list |

use super::*;
use crate::peers::skipped;
use chrono::TimeDelta;
use serde_json::json;

on_both!(issues_are_created_listed_changed_found_and_deleted, |database| async move {
    let Some(place) = Place::start("linear", "linear.mjs", "atom") else { return skipped() };
    let (_atom, scope) = place.scope(&database).await;
    let connection = place.consent(&scope, "ada@example.com").await;
    let account = connection.account().await.unwrap();
    assert_eq!((account.label.as_deref(), account.email.as_deref()), (Some("Ada"), Some("ada@example.com")));
    let tasks = connection.tasks();

    let projects = tasks.list_projects(ListProjects::default()).await.unwrap().items;
    let team = projects.into_iter().find(|project| project.name == "Engines").unwrap();
    assert_eq!(tasks.get_project(team.id.clone()).await.unwrap(), team);
    let states = connection.call("linear.list_states".into(), Json(json!({ "project_id": team.id }))).await.unwrap().0;
    let done = states["items"].as_array().unwrap().iter().find(|state| state["name"] == "Oiled").unwrap();

    let mut created = Vec::new();
    for (title, priority) in
        [("Grease the axle", TaskPriority::Urgent), ("Oil", TaskPriority::None), ("Count", TaskPriority::Low)]
    {
        let task = NewTask {
            title: title.into(),
            description: Some("Note A: naïve – 数".into()),
            project_id: Some(team.id.clone()),
            priority: Some(priority),
            due_at: Some("2030-03-02T00:00:00Z".parse().unwrap()),
            ..Default::default()
        };
        let due_at = task.due_at;
        let task = tasks.create(task).await.unwrap();
        assert_eq!((task.title.as_str(), task.priority, task.due_at), (title, Some(priority), due_at));
        assert_eq!((task.status, task.project_id.as_deref()), (Some(TaskStatus::Open), Some(team.id.as_str())));
        assert_eq!(task.creator.as_ref().and_then(|creator| creator.email.as_deref()), Some("ada@example.com"));
        assert_eq!(tasks.get(task.id.clone()).await.unwrap(), task);
        created.push(task);
    }
    let of_team = ListTasks { project_id: Some(team.id.clone()), ..Default::default() };
    let listed = pages(async |cursor| {
        let page = tasks.list(ListTasks { page_size: Some(2), cursor, ..of_team.clone() }).await.unwrap();
        (page.items, page.next_cursor)
    })
    .await;
    assert_eq!(sizes(&listed), [2, 1]);
    assert_eq!(listed.into_iter().flatten().collect::<Vec<_>>(), created);

    let changes = TaskPatch {
        title: Some("Oil the axle".into()),
        provider_status: Some(done["id"].as_str().unwrap().into()),
        priority: Some(TaskPriority::High),
        ..Default::default()
    };
    let changed = tasks.update(created[1].id.clone(), changes).await.unwrap();
    assert_eq!((changed.title.as_str(), changed.priority), ("Oil the axle", Some(TaskPriority::High)));
    assert_eq!((changed.status, changed.completed_at.is_some()), (Some(TaskStatus::Done), true));
    assert_eq!((&changed.description, changed.due_at), (&created[1].description, created[1].due_at));
    let done = ListTasks { status: Some(TaskStatus::Done), ..of_team.clone() };
    assert_eq!(tasks.list(done).await.unwrap().items, std::slice::from_ref(&changed));
    let found = tasks.list(ListTasks { search: Some("axle".into()), ..of_team.clone() }).await.unwrap().items;
    assert_eq!(found.iter().map(|task| &task.id).collect::<BTreeSet<_>>(), [&created[0].id, &changed.id].into());

    for text in ["first", "second", "third"] {
        let comment = tasks.add_comment(changed.id.clone(), text.into()).await.unwrap();
        assert_eq!((comment.text.as_deref(), comment.task_id.as_deref()), (Some(text), Some(changed.id.as_str())));
    }
    let comments = pages(async |cursor| {
        let filter = ListComments { task_id: changed.id.clone(), page_size: Some(2), cursor };
        let page = tasks.list_comments(filter).await.unwrap();
        (page.items, page.next_cursor)
    })
    .await;
    // `emulate` has one of its own, at another issue.
    let comments = comments.into_iter().flatten().filter(|comment| comment.task_id.as_ref() == Some(&changed.id));
    let comments: Vec<_> = comments.filter_map(|comment| comment.text).collect();
    assert_eq!(comments, ["first", "second", "third"]);

    tasks.remove(created[2].id.clone()).await.unwrap();
    let left = tasks.list(of_team).await.unwrap().items;
    assert_eq!(left.iter().map(|task| &task.id).collect::<BTreeSet<_>>(), [&created[0].id, &changed.id].into());
    let again = tasks.remove(created[2].id.clone()).await.err().unwrap();
    assert_eq!(again.kind(), ErrorKind::NotFound, "{again}");
    was_whole("linear::issues_are_created_listed_changed_found_and_deleted", &connection).await;
});

on_both!(linear_rotates_and_ends_a_grant, |database| async move {
    let Some(place) = Place::start("linear", "linear.mjs", "atom") else { return skipped() };
    let clock = TestClock::new();
    let atom = database.builder().clock(clock.clone()).provider(place.app()).open().await.unwrap();
    let (session, scope) = sign_up(&atom, "ada@example.com").await;
    let id = place.consent(&scope, "ada@example.com").await.id();
    atom.shut_down().await.unwrap();

    let backup = database.copy().await;
    let [atom, restored] = [&database, &backup].map(|d| d.builder().clock(clock.clone()).provider(place.app()).open());
    let (atom, restored) = (atom.await.unwrap(), restored.await.unwrap());
    let open = async |atom: &Atom| {
        let scope = atom.act_as(session.user.id, session.workspace.id).await.unwrap();
        scope.connections().open(id).await.unwrap()
    };
    let (connection, copy) = (open(&atom).await, open(&restored).await);
    for _ in 0..2 {
        clock.advance(TimeDelta::hours(2));
        let token = connection.access_token().await.unwrap().token;
        connection.tasks().list(ListTasks::default()).await.expect("the new token is good");
        assert_eq!(connection.access_token().await.unwrap().token.expose(), token.expose());
    }
    let spent = copy.access_token().await.err().unwrap();
    assert_eq!(spent.reason(), "invalid_grant", "a refresh token is good once");
    connection.revoke().await.unwrap();
    assert_eq!(connection.account().await.unwrap().state, ConnectionState::Revoked);
});
