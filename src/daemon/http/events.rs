//! `POST /v1/events`: who may send, and whether anything can be taken now. The rest is [`stream`](super::stream).

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use http_body_util::BodyExt as _;
use http_body_util::channel::Channel;
use hyper::body::Bytes;
use tokio::time::timeout;

use crate::api::{NDJSON, Problem};
use crate::daemon::time::Present;
use crate::domain::coverage::Trouble;
use crate::domain::identity::SourceName;
use crate::ingest::events::Speaker;
use crate::wire::events::Lines;

use super::identity::Asker;
use super::stream::Stream;
use super::{App, Refusal, query};

/// How many streams may be open at once. Each costs some hundred KiB at most.
pub(in crate::daemon) const MOST_STREAMS: usize = 64;
/// Answers that wait for the connection, in pieces.
const ANSWERS: usize = 4;
/// How long a request that cannot be taken is waited for, to hear what it says of the time.
const HEARING: Duration = Duration::from_secs(1);

pub(super) async fn take(
    State(app): State<Arc<App>>,
    Asker(asker): Asker,
    RawQuery(query): RawQuery,
    body: Body,
) -> Result<Response, Refusal> {
    if !asker.role.may_send_events() {
        return Err(Problem::forbidden(format!("role {} may not send events; source may", asker.role)).into());
    }
    let [first] = query::values(query.as_deref(), ["first"])?;
    let first = query::number("first", first)?.unwrap_or(1);
    let source = app.config.source_named(&asker.name);
    if let Err(problem) = app.can_take(&SourceName(source.name.clone())) {
        app.hear(&source, body).await;
        return Err(problem.into());
    }
    // The permit is the stream's until it ends.
    app.streams.try_acquire().map_err(|_| Problem::unavailable("too many streams are open"))?.forget();
    let (answers, answer) = Channel::<Bytes>::new(ANSWERS);
    tokio::spawn(async move {
        Stream::new(&app, source, first).run(body, answers).await;
        app.streams.add_permits(1);
    });
    Ok(([(header::CONTENT_TYPE, NDJSON)], Body::new(answer)).into_response())
}

impl App {
    /// What keeps events of a source from being taken now; if nothing does, the present.
    pub(super) fn can_take(&self, source: &SourceName) -> Result<Present, Problem> {
        let present = self.time.present().inspect_err(|_| {
            self.ears.lost(Some(source), self.time.believed(), Trouble::ClockInDoubt);
        })?;
        if self.room.is_short() {
            self.counters.disk_full.bump();
            self.ears.lost(Some(source), present.now, Trouble::DiskFull);
            return Err(Problem::disk_full("no event is acknowledged until there is room again"));
        }
        // Who stops is away from then on, which is noted at the next start.
        let stopping = *self.stopping.borrow();
        if !self.queue.accepting() && !stopping {
            self.ears.lost(Some(source), present.now, Trouble::Refused);
        }
        if !self.queue.accepting() || stopping {
            return Err(Problem::unavailable("the daemon is stopping, or its store takes no events"));
        }
        Ok(present)
    }

    /// Hears what the first lines of a request say of the time. In doubt nothing is taken, and yet sources that agree
    /// with the clock can end the doubt.
    async fn hear(&self, source: &crate::config::Source, mut body: Body) {
        if self.time.present().is_ok() {
            return;
        }
        self.counters.clock_in_doubt.bump();
        let Ok(Some(Ok(frame))) = timeout(HEARING, body.frame()).await else { return };
        let Ok(data) = frame.into_data() else { return };
        let speaker = Speaker { source, config: &self.config, sealer: &self.sealer };
        let (mut lines, mut rest) = (Lines::default(), &data[..]);
        while let Some(line) = lines.next(&mut rest) {
            if let Some(stamp) = speaker.stamp(line) {
                self.time.hear(&SourceName(source.name.clone()), stamp);
            }
        }
    }
}
