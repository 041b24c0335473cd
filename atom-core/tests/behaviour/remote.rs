//! The unified operations of a connection.

use super::{Args, Thing};
use atom_core::*;

pub(super) async fn files(files: &Files, method: &str, mut args: Args) -> Result<Thing> {
    match method {
        "list" => files.list(args.next()).await.map(Thing::plain),
        "get" => files.get(args.next()).await.map(Thing::plain),
        "download" => files.download(args.next()).await.map(Thing::plain),
        "upload" => files.upload(args.next()).await.map(Thing::plain),
        "create_folder" => files.create_folder(args.next()).await.map(Thing::plain),
        "update" => files.update(args.next(), args.next()).await.map(Thing::plain),
        "remove" => files.remove(args.next()).await.map(Thing::plain),
        "begin_upload" => files.begin_upload(args.next()).await.map(Thing::Upload),
        "resume_upload" => files.resume_upload(args.next()).await.map(Thing::Upload),
        _ => panic!("files have no method `{method}` here"),
    }
}

pub(super) async fn upload(upload: &FileUpload, method: &str, mut args: Args) -> Result<Thing> {
    match method {
        "write" => upload.write(args.next()).await.map(Thing::plain),
        "offset" => upload.offset().await.map(Thing::plain),
        "state" => upload.state().await.map(Thing::plain),
        "finish" => upload.finish().await.map(Thing::plain),
        "abort" => upload.abort().await.map(Thing::plain),
        _ => panic!("an upload has no method `{method}` here"),
    }
}

pub(super) async fn mail(mail: &Mailbox, method: &str, mut args: Args) -> Result<Thing> {
    match method {
        "list" => mail.list(args.next()).await.map(Thing::plain),
        "get" => mail.get(args.next()).await.map(Thing::plain),
        "send" => mail.send(args.next()).await.map(Thing::plain),
        "update" => mail.update(args.next(), args.next()).await.map(Thing::plain),
        "remove" => mail.remove(args.next()).await.map(Thing::plain),
        "list_folders" => mail.list_folders(args.next()).await.map(Thing::plain),
        _ => panic!("mail has no method `{method}` here"),
    }
}

pub(super) async fn calendar(calendar: &Calendars, method: &str, mut args: Args) -> Result<Thing> {
    match method {
        "list_calendars" => calendar.list_calendars(args.next()).await.map(Thing::plain),
        "list_events" => calendar.list_events(args.next()).await.map(Thing::plain),
        "get_event" => calendar.get_event(args.next(), args.next()).await.map(Thing::plain),
        "create_event" => calendar.create_event(args.next()).await.map(Thing::plain),
        "update_event" => calendar.update_event(args.next(), args.next()).await.map(Thing::plain),
        "delete_event" => calendar.delete_event(args.next(), args.next()).await.map(Thing::plain),
        _ => panic!("calendars have no method `{method}` here"),
    }
}

pub(super) async fn tasks(tasks: &RemoteTasks, method: &str, mut args: Args) -> Result<Thing> {
    match method {
        "list" => tasks.list(args.next()).await.map(Thing::plain),
        _ => panic!("tasks has no method `{method}` here"),
    }
}

pub(super) async fn chat(chat: &Chat, method: &str, mut args: Args) -> Result<Thing> {
    match method {
        "list_channels" => chat.list_channels(args.next()).await.map(Thing::plain),
        _ => panic!("chat has no method `{method}` here"),
    }
}

pub(super) async fn crm(crm: &Crm, method: &str, mut args: Args) -> Result<Thing> {
    match method {
        "list_contacts" => crm.list_contacts(args.next()).await.map(Thing::plain),
        _ => panic!("crm has no method `{method}` here"),
    }
}

pub(super) async fn payments(payments: &Payments, method: &str, mut args: Args) -> Result<Thing> {
    match method {
        "list_customers" => payments.list_customers(args.next()).await.map(Thing::plain),
        _ => panic!("payments has no method `{method}` here"),
    }
}

pub(super) async fn code(code: &Code, method: &str, mut args: Args) -> Result<Thing> {
    match method {
        "list_repositories" => code.list_repositories(args.next()).await.map(Thing::plain),
        _ => panic!("code has no method `{method}` here"),
    }
}

pub(super) async fn commerce(commerce: &Commerce, method: &str, mut args: Args) -> Result<Thing> {
    match method {
        "list_orders" => commerce.list_orders(args.next()).await.map(Thing::plain),
        _ => panic!("commerce has no method `{method}` here"),
    }
}

pub(super) async fn documents(documents: &Documents, method: &str, mut args: Args) -> Result<Thing> {
    match method {
        "list" => documents.list(args.next()).await.map(Thing::plain),
        _ => panic!("documents has no method `{method}` here"),
    }
}

pub(super) async fn meetings(meetings: &Meetings, method: &str, mut args: Args) -> Result<Thing> {
    match method {
        "list" => meetings.list(args.next()).await.map(Thing::plain),
        _ => panic!("meetings has no method `{method}` here"),
    }
}

pub(super) async fn accounting(accounting: &Accounting, method: &str, mut args: Args) -> Result<Thing> {
    match method {
        "list_invoices" => accounting.list_invoices(args.next()).await.map(Thing::plain),
        _ => panic!("accounting has no method `{method}` here"),
    }
}

pub(super) async fn support(support: &Support, method: &str, mut args: Args) -> Result<Thing> {
    match method {
        "list_tickets" => support.list_tickets(args.next()).await.map(Thing::plain),
        _ => panic!("support has no method `{method}` here"),
    }
}

pub(super) async fn social(social: &Social, method: &str, mut args: Args) -> Result<Thing> {
    match method {
        "list_posts" => social.list_posts(args.next()).await.map(Thing::plain),
        _ => panic!("social has no method `{method}` here"),
    }
}

pub(super) async fn design(design: &Design, method: &str, mut args: Args) -> Result<Thing> {
    match method {
        "list_files" => design.list_files(args.next()).await.map(Thing::plain),
        _ => panic!("design has no method `{method}` here"),
    }
}

pub(super) async fn automation(automation: &Automation, method: &str, mut args: Args) -> Result<Thing> {
    match method {
        "list_workflows" => automation.list_workflows(args.next()).await.map(Thing::plain),
        _ => panic!("automation has no method `{method}` here"),
    }
}

pub(super) async fn push(push: &Push, method: &str, mut args: Args) -> Result<Thing> {
    match method {
        "send" => push.send(args.next()).await.map(Thing::plain),
        _ => panic!("push has no method `{method}` here"),
    }
}
