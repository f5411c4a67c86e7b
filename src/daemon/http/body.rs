//! The JSON in the body of a request, which its handler reads when it is time: who may not ask is told that first.

use std::convert::Infallible;

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequest, Request};

use crate::api::Problem;

/// A body, or why it is none.
pub(super) struct Body<T>(Result<Json<T>, JsonRejection>);

impl<T, S> FromRequest<S> for Body<T>
where
    Json<T>: FromRequest<S, Rejection = JsonRejection>,
    S: Send + Sync,
{
    type Rejection = Infallible;

    async fn from_request(request: Request, state: &S) -> Result<Self, Infallible> {
        Ok(Self(Json::from_request(request, state).await))
    }
}

impl<T> Body<T> {
    /// What is in it.
    ///
    /// # Errors
    ///
    /// 400, with what is wrong with it and where.
    pub(super) fn read(self) -> Result<T, Problem> {
        let Json(read) = self.0.map_err(|error| Problem::bad_field("body", error.body_text()))?;
        Ok(read)
    }
}
