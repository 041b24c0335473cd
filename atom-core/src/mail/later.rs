//! Mail that is prepared after its caller has the answer, so that how long that takes tells nothing of whether there is anybody who gets it.

use crate::atom::Inner;
use crate::{MailId, Result};
use std::sync::Arc;
use tokio::runtime::Handle;

/// Work that counts as under way until it has ended, as the first attempt at a mail does.
struct UnderWay {
    inner: Arc<Inner>,
    id: MailId,
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.inner.mail.end(self.id);
    }
}

/// Does the work of a mail on a task of its own. If the process dies before, there is no mail: it is for what its recipient can ask for again.
pub(crate) fn later(inner: &Arc<Inner>, work: impl Future<Output = Result<()>> + Send + 'static) {
    let under_way = UnderWay { inner: Arc::clone(inner), id: MailId::generate() };
    inner.mail.begin(under_way.id);
    drop(Handle::current().spawn(async move {
        let _until_then = under_way;
        if let Err(error) = work.await {
            tracing::warn!(%error, reason = error.reason(), "a mail that was asked for could not be queued");
        }
    }));
}
