//! What a request asks, read with problem documents for answers: of which mission, with which query, with which body; and
//! how long it may take.

use std::fmt::Display;
use std::future::Future;
use std::sync::Arc;

use axum::body::to_bytes;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use serde::de::value::{Error, MapDeserializer, SeqDeserializer};
use serde::de::{DeserializeOwned, Deserializer, Error as _, IntoDeserializer, Visitor};
use serde::forward_to_deserialize_any;
use tokio::time::Instant;

use super::{LoggedIn, RANGE_TIMEOUT, Shared};
use crate::{LiveMission, ProblemResponse};

/// The mission in the path, if whoever asks may know of it.
pub(super) struct OfMission(pub(super) Arc<LiveMission>);

impl FromRequestParts<Shared> for OfMission {
    type Rejection = ProblemResponse;

    async fn from_request_parts(parts: &mut Parts, app: &Shared) -> Result<Self, ProblemResponse> {
        let who = LoggedIn::from_request_parts(parts, app).await?;
        let Path(name): Path<String> = Path::from_request_parts(parts, app)
            .await
            .map_err(|error| ProblemResponse::bad_request(error.body_text()))?;
        app.mission(&who.principal, &name).map(Self)
    }
}

/// The query of a request. A field of many values is given once for each.
pub(super) struct Asked<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequestParts<Shared> for Asked<T> {
    type Rejection = ProblemResponse;

    async fn from_request_parts(parts: &mut Parts, _: &Shared) -> Result<Self, ProblemResponse> {
        let Query(pairs) = Query::<Vec<(String, String)>>::try_from_uri(&parts.uri)
            .map_err(|error| ProblemResponse::bad_request(error.body_text()))?;
        read(pairs).map(Self).map_err(|error| ProblemResponse::bad_request(error.to_string()))
    }
}

/// The JSON body of a request, of at most so many bytes.
pub(super) struct JsonBody<T, const BYTES_MAX: usize>(pub(super) T);

impl<T: DeserializeOwned, const BYTES_MAX: usize> FromRequest<Shared> for JsonBody<T, BYTES_MAX> {
    type Rejection = ProblemResponse;

    async fn from_request(request: Request, _: &Shared) -> Result<Self, ProblemResponse> {
        if !is_json(request.headers()) {
            return Err(ProblemResponse::content_type("send the body as `content-type: application/json`"));
        }
        let too_large =
            || ProblemResponse::too_large(format!("a body of this request has at most {BYTES_MAX} bytes"));
        if announced_bytes(request.headers()).is_some_and(|bytes| bytes > BYTES_MAX) {
            return Err(too_large());
        }
        let bytes = to_bytes(request.into_body(), BYTES_MAX).await.map_err(|_| too_large())?;
        parsed(&bytes)
            .map(Self)
            .map_err(|error| ProblemResponse::bad_request(format!("the body cannot be read: {error}")))
    }
}

/// A value from JSON, and nothing behind it; of what is wrong it is told where, as in `put[2].w`.
fn parsed<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, String> {
    let mut text = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut text).map_err(|error| error.to_string())?;
    text.end().map_err(|error| error.to_string())?;
    Ok(value)
}

fn is_json(headers: &HeaderMap) -> bool {
    let text = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    text.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"))
}

pub(super) fn announced_bytes(headers: &HeaderMap) -> Option<usize> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// An answer that does not come in time is not waited for: the archive is in trouble, and the asker gone.
pub(super) async fn in_time<T>(
    answer: impl Future<Output = Result<T, ProblemResponse>>,
) -> Result<T, ProblemResponse> {
    in_time_until(Instant::now() + RANGE_TIMEOUT, answer).await
}

/// As [`in_time`], of one of several answers that have their time together.
pub(super) async fn in_time_until<T>(
    deadline: Instant,
    answer: impl Future<Output = Result<T, ProblemResponse>>,
) -> Result<T, ProblemResponse> {
    let late = "the archive took longer than 30 s; ask for a shorter range, or try again";
    tokio::time::timeout_at(deadline, answer).await.map_err(|_| ProblemResponse::too_slow(late))?
}

fn read<T: DeserializeOwned>(pairs: Vec<(String, String)>) -> Result<T, Error> {
    let mut fields: Vec<(String, Values)> = Vec::new();
    for (name, value) in pairs {
        match fields.iter_mut().find(|(known, _)| *known == name) {
            Some((_, values)) => values.given.push(value),
            None => fields.push((name.clone(), Values { name, given: vec![value] })),
        }
    }
    T::deserialize(MapDeserializer::new(fields.into_iter()))
}

/// What was given for one field.
struct Values {
    name: String,
    given: Vec<String>,
}

impl Values {
    fn one(mut self) -> Result<String, Error> {
        match (self.given.pop(), self.given.is_empty()) {
            (Some(value), true) => Ok(value),
            _ => Err(Error::custom(format!("`{}` is given more than once", self.name))),
        }
    }

    fn parsed<T: std::str::FromStr<Err: Display>>(self) -> Result<T, Error> {
        let name = self.name.clone();
        let value = self.one()?;
        value.parse().map_err(|error| Error::custom(format!("`{name}` cannot be {value:?}: {error}")))
    }
}

impl IntoDeserializer<'_, Error> for Values {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> Deserializer<'de> for Values {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_string(self.one()?)
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_bool(self.parsed()?)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.one()?.into_deserializer().deserialize_enum(name, variants, visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_some(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_seq(SeqDeserializer::new(self.given.into_iter()))
    }

    fn deserialize_u32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_u32(self.parsed()?)
    }

    fn deserialize_u64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_u64(self.parsed()?)
    }

    forward_to_deserialize_any! {
        i8 i16 i32 i64 i128 u8 u16 u128 f32 f64 char str string bytes byte_buf unit unit_struct newtype_struct tuple
        tuple_struct map struct identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;
    use crate::contract::CompletenessBy;

    #[derive(Debug, Default, Deserialize, PartialEq)]
    #[serde(deny_unknown_fields)]
    struct Question {
        #[serde(default)]
        parameter: Vec<String>,
        from: String,
        points: Option<usize>,
        gaps: Option<bool>,
        by: Option<CompletenessBy>,
    }

    fn question(pairs: &[(&str, &str)]) -> Result<Question, String> {
        let pairs = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        read(pairs).map_err(|error| error.to_string())
    }

    #[test]
    fn a_field_of_many_values_is_given_once_for_each_and_others_once() {
        let full = question(&[
            ("parameter", "/A"),
            ("from", "now"),
            ("points", "7"),
            ("parameter", "/B"),
            ("gaps", "true"),
            ("by", "day"),
        ]);
        let expected = Question {
            parameter: vec!["/A".to_owned(), "/B".to_owned()],
            from: "now".to_owned(),
            points: Some(7),
            gaps: Some(true),
            by: Some(CompletenessBy::Day),
        };
        assert_eq!(full, Ok(expected));
        let little = Question { from: String::new(), ..Question::default() };
        assert_eq!(question(&[("from", "")]), Ok(little));
        for (pairs, told) in [
            (&[("points", "7")][..], "missing field `from`"),
            (&[("from", "a"), ("from", "b")], "`from` is given more than once"),
            (&[("from", "a"), ("points", "-1")], "`points` cannot be \"-1\""),
            (&[("from", "a"), ("gaps", "yes")], "`gaps` cannot be \"yes\""),
            (&[("from", "a"), ("by", "week")], "unknown variant `week`"),
            (&[("from", "a"), ("pionts", "1")], "unknown field `pionts`"),
        ] {
            let problem = question(pairs).expect_err(told);
            assert!(problem.contains(told), "{problem}");
        }
    }
}
