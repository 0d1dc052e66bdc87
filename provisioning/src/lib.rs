//! Who is trusted: the authority, tokens, enrolment, renewal, and who may still come in.
//!
//! The hub holds an [`Authority`], hands out [`Token`]s and runs an [`EnrolmentDesk`] over its own
//! [`EnrolmentBook`]. A node calls [`enroll`] once and [`Identity::load`] at every start. Certificates say who a
//! node is; what it may do is looked up, for every connection, in an [`AllowList`].

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod admission;
mod authority;
mod book;
mod bundle;
mod csr;
mod desk;
mod durable;
mod enroll;
mod identity;
mod node_document;
mod pem;
mod renewal;
mod report;
mod signature;
mod text;
mod token;
mod wire;

pub use admission::{AllowList, NotAllowed, Standing};
pub use authority::{Authority, AuthorityError, IssuedCertificate};
pub use book::{BookUnavailable, CertificateRecord, EnrolmentBook, Redeemed, Redemption, Refusal};
pub use bundle::{BundleFile, CertifiedKey, FileCipher, ImportedBundle, NodeSigner, NotForUs};
pub use csr::{CertificateRequest, IssueError};
pub use desk::{DeskError, EnrolmentDesk, EnrolmentOutcome};
pub use enroll::{EnrollOptions, Enrolled, enroll};
pub use identity::{Identity, IdentityError};
pub use node_document::{HubEndpointName, HubList, HubListError, TrustChangeError, changed_trust};
pub use renewal::Renewal;
pub use report::EnrollError;
pub use signature::{Authorities, AuthoritiesError, SignatureError};
pub use token::{NewToken, Token, TokenError, TokenId, TokenRecord, TokenSecret};
pub use wire::Refused;
