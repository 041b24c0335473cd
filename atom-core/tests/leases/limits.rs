//! What a lease is not for.

use super::*;

on_both!(p41_a_lease_is_for_its_methods_only, |database| async move {
    let place = Place::open(&database).await;
    let (lease, secret) = place.lent(NewSecretLease { methods: words(&["GET", "POST"]), ..place.on_key() }).await;
    for method in ["GET", "POST"] {
        secret.request(place.call(method, "/")).await.unwrap();
    }
    for method in ["PUT", "PATCH", "DELETE", "HEAD"] {
        let error = secret.request(place.call(method, "/")).await.err().unwrap();
        assert_eq!((error.kind(), error.reason()), (ErrorKind::Forbidden, "lease_not_for_this"), "{method}");
    }
    for name in ["X-HTTP-Method-Override", "x-http-method", "X-Method-Override"] {
        let with = |method: &str| Some([(name.to_owned(), method.to_owned())].into());
        let request = RawRequest { headers: with("delete"), ..place.call("POST", "/") };
        assert_eq!(reason(secret.request(request).await), "lease_not_for_this", "{name}");
        secret.request(RawRequest { headers: with("GET"), ..place.call("POST", "/") }).await.unwrap();
    }
    assert_eq!(reason(secret.request(place.call("get", "/")).await), "unknown_method");
    assert_eq!((place.calls(), secret.lease().await.unwrap().use_count), (5, 5), "what is refused is no use");
    assert_eq!(place.scope.secret_leases().get(lease.id).await.unwrap().use_count, 5);
});

on_both!(p41_a_lease_is_for_its_paths_only, |database| async move {
    let place = Place::open(&database).await;
    let prefixes = words(&["/v1/files", "/v2/a b/"]);
    let (_, secret) = place.lent(NewSecretLease { path_prefixes: prefixes, ..place.on_key() }).await;
    let fine = ["/v1/files", "/v1/files/7?x=/../", "/v1/files/a%20b", "/v2/a%20b/c", "/v2/a b/c"];
    for path in fine {
        secret.request(place.call("GET", path)).await.unwrap_or_else(|e| panic!("{path}: {e:?}"));
    }
    for path in [
        "/",
        "/v1",
        "/v1/filesystem",
        "/v1/../v1/files",
        "/v1/files/../admin",
        "/v1/files/%2e%2e/admin",
        "/v1/files/%2E%2E%2Fadmin",
        "/v1/files/..%5Cadmin",
        "/v1/files/%252e%252e/admin",
        "/v1/files/..;/admin",
        "/v1/files\\..\\admin",
        "/v1/files/.\t./admin",
        "/v2/a",
        "/v2/a%2520b/c",
    ] {
        assert_eq!(reason(secret.request(place.call("GET", path)).await), "lease_not_for_this", "{path}");
    }
    let query = Some([("path".to_owned(), "/v1/files".to_owned())].into());
    assert_eq!(reason(secret.request(RawRequest { query, ..place.call("GET", "/admin") }).await), "lease_not_for_this");
    assert_eq!(reason(secret.request(google("GET", "/v1/files")).await), "malformed_url");
    assert_eq!(place.calls(), fine.len());
    let sent: Vec<_> = place.service.received().iter().map(|received| received.path.clone()).collect();
    assert!(sent.iter().all(|path| path.starts_with("/v1/files") || path.starts_with("/v2/a%20b/")), "{sent:?}");
});

on_both!(p41_policies_hold_for_whoever_holds_a_lease_with_its_purpose_and_tool, |database| async move {
    let place = Place::open(&database).await;
    let policies = place.scope.secret_policies();
    let deny = |name: &str| NewSecretPolicy { name: name.into(), effect: SecretEffect::Deny, ..Default::default() };
    let (_, secret) = place.lent(place.on_key()).await;
    let (_, account) = place.lent(place.on_connection()).await;
    secret.request(place.call("GET", "/")).await.unwrap();

    policies.put(NewSecretPolicy { tools: words(&["mail"]), ..deny("p") }).await.unwrap();
    secret.request(place.call("GET", "/")).await.expect("it is about another tool");
    policies.put(NewSecretPolicy { tools: words(&["crm.search"]), purposes: words(&["sync"]), ..deny("p") }).await.unwrap();
    let error = secret.request(place.call("GET", "/")).await.err().unwrap();
    assert_eq!((error.kind(), error.reason()), (ErrorKind::Forbidden, "secret_policy_denied"));
    assert_eq!(reason(account.request(google("GET", FILES)).await), "secret_policy_denied");
    place.connection.request(google("GET", FILES)).await.expect("Ada herself has no such purpose");
    policies.put(NewSecretPolicy { methods: words(&["DELETE"]), ..deny("p") }).await.unwrap();
    secret.request(place.call("GET", "/")).await.unwrap();
    assert_eq!(reason(secret.request(place.call("DELETE", "/")).await), "secret_policy_denied");
    assert_eq!(place.calls(), 3);

    let filter = AuditFilter { action: Some(AuditAction::SecretUseDenied), ..Default::default() };
    let denied = place.scope.audit().list(filter).await.unwrap().items;
    assert!(!denied.is_empty() && denied.iter().all(|entry| entry.details["tool"] == "crm.search" && entry.session_id.is_none()));
});
