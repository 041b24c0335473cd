//! Our requests beside those of the vendors' own clients.

use atom_conformance::misfits;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn our_requests_are_those_of_the_vendors_own_clients() {
    let found = misfits().await.unwrap();
    assert!(found.is_empty(), "\n{}\n", found.join("\n"));
}
