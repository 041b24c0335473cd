//! Canaries: neither the secret nor the reason is in the audit log, an event, an error or the database.

use super::*;

const WHY: &str = "canary-reason-5d2c71: Grace in hospital, her laptop is locked";

on_both!(p41_the_reason_and_the_secret_are_nowhere_but_where_they_were_asked_for, |database| async move {
    let place = Place::open(&database).await;
    let bob = place.joins("bob", Role::Admin).await;
    let cleo = place.joins("cleo", Role::Admin).await;
    let (key, connection) = (place.service_key().await, place.connection().await);
    let mut seen = Vec::new();
    let mut token = None;
    for request in [for_key(key.id), for_connection(connection.id())] {
        let request = NewEmergencyAccess { reason: WHY.into(), ..request };
        let request = bob.emergency_access().request(request).await.unwrap();
        seen.push(request.challenge.clone().unwrap());
        seen.push(format!("{:?}", bob.emergency_access().approve(request.id).await.unwrap_err()));
        assert_eq!(place.ada.emergency_access().approve(request.id).await.unwrap().reason, WHY);
        seen.push(format!("{:?}", bob.emergency_access().reveal(request.id).await.err().unwrap()));
        cleo.emergency_access().approve(request.id).await.unwrap();
        token = bob.emergency_access().reveal(request.id).await.unwrap().value;
        seen.push(format!("{:?}", bob.emergency_access().reveal(request.id).await.err().unwrap()));
    }
    let token = token.unwrap();
    let long = NewEmergencyAccess { reason: WHY.repeat(20), ..for_key(key.id) };
    seen.push(format!("{:?}", bob.emergency_access().request(long).await.unwrap_err()));
    seen.push(format!("{:?}", place.ada.events().list(EventFilter::default()).await.unwrap()));
    seen.push(format!("{:?}", place.ada.audit().list(AuditFilter::default()).await.unwrap()));
    place.atom.shut_down().await.unwrap();
    seen.extend(dump(&database).await);
    assert!(seen.iter().any(|text| text.contains("emergency.revealed")));

    let hex = |text: &str| text.bytes().map(|byte| format!("{byte:02x}")).collect::<String>();
    for canary in [&WHY[..20], KEY, token.expose()] {
        for form in [canary.to_owned(), hex(canary)] {
            for text in &seen {
                assert!(!text.contains(&form), "`{form}` in {}", &text[..text.len().min(2000)]);
            }
        }
    }
});
