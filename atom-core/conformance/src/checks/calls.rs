//! Calls that the vendor would take.

use super::{Check, Trial};
use crate::description::Origin;
use crate::double::{self, CURSOR, NEXT, Recorded, Reply};
use crate::typed;
use serde_json::{Map, Value};
use url::Url;

impl Trial<'_> {
    /// Whether the vendor knows the operation, at the host and path that the manifest has.
    pub(super) fn exists(&mut self) -> bool {
        let vendor_op = self.operation.vendor_op().to_owned();
        let world = &self.bench.double.world;
        if self.operation.is_graphql() {
            let is_there = world.descriptions.graphql.as_ref().is_some_and(|service| service.has(&vendor_op));
            if !is_there {
                self.fault(Check::Exists, format!("the schema has no field `{vendor_op}`"));
            }
            return is_there;
        }
        if self.expected.described.is_empty() {
            self.fault(Check::Exists, format!("the description has no operation `{vendor_op}`"));
            return false;
        }
        let host = |url: &str| Url::parse(url).ok().and_then(|url| url.host_str().map(str::to_owned));
        let ours = host(&world.origin(&self.operation.base_url));
        let servers: Vec<String> = self.expected.described.iter().flat_map(|operation| operation.servers.clone()).collect();
        // A server with a placeholder, or none, says nothing about the host.
        let known: Vec<_> = servers.iter().filter(|url| !url.contains('{')).filter_map(|url| host(url)).collect();
        if !known.is_empty() && known.len() == servers.len() && !known.contains(&ours.clone().unwrap_or_default()) {
            self.fault(
                Check::Exists,
                format!("is sent to {}, but the vendor serves it at {}", ours.unwrap_or_default(), known.join(", ")),
            );
        }
        true
    }

    /// Whether all that was checked so far is right.
    pub(super) fn is_clean(&self) -> bool {
        self.faults.is_empty()
    }

    /// The smallest call; returns whether the double let it through.
    pub(super) async fn minimal(&mut self) -> bool {
        let input = self.minimal_input();
        self.right(Check::Minimal, &input).await.is_some()
    }

    /// The call with all inputs; returns where its answer came from.
    pub(super) async fn full(&mut self) -> Option<Origin> {
        let input = self.full_input();
        let request = self.right(Check::Full, &input).await?;
        let origin = double::sample(&self.bench.double.world, &self.expected, &request).2;
        self.recorded = Some(request);
        matches!(self.operation.answer(), "json").then_some(origin)
    }

    async fn right(&mut self, check: Check, input: &Map<String, Value>) -> Option<Recorded> {
        let before = self.faults.len();
        let (called, requests) = self.call(check, input, Vec::new()).await;
        match called {
            Ok(value) => {
                if let Err(why) = typed::check(self.operation, &value) {
                    self.fault(check, why);
                }
            }
            // What the double refused is said already.
            Err(error) if self.faults.len() == before => {
                self.fault(check, format!("{error} (input: {})", Value::Object(input.clone())))
            }
            Err(_) => {}
        }
        let world = &self.bench.double.world;
        requests.into_iter().find(|request| double::faults(world, &self.expected, request).is_empty())
    }

    pub(super) async fn pages(&mut self) {
        let Some(rule) = self.operation.pages() else { return };
        let mut input = self.minimal_input();
        input.insert("page_size".into(), 2.into());
        let (first, before) = self.call(Check::Pages, &input, vec![Reply::Answer { more: true }]).await;
        let cursor = match first.as_ref().map(|page| &page["next_cursor"]) {
            Ok(Value::String(cursor)) => cursor.clone(),
            Ok(_) => return self.fault(Check::Pages, "another page follows, but there is no next_cursor"),
            Err(error) => return self.fault(Check::Pages, format!("the first page: {error}")),
        };
        input.insert("cursor".into(), cursor.into());
        let (second, requests) = self.call(Check::Pages, &input, Vec::new()).await;
        match second {
            Ok(page) if page["next_cursor"].is_null() => {}
            Ok(_) => self.fault(Check::Pages, "the last page has a next_cursor"),
            Err(error) => self.fault(Check::Pages, format!("the second page: {error}")),
        }
        let goes_on = |request: &Recorded| match rule["by"].as_str() {
            Some("cursor") => text(request).contains(CURSOR),
            Some("url" | "link") => request.query.iter().any(|(name, _)| name == NEXT),
            _ => before.iter().all(|earlier| text(earlier) != text(request)),
        };
        if !requests.iter().any(goes_on) {
            self.fault(Check::Pages, "the second request does not say where the first page ended");
        }
    }
}

/// What a request says beside its headers.
fn text(request: &Recorded) -> String {
    format!("{} {:?} {}", request.path, request.query, String::from_utf8_lossy(&request.body))
}
