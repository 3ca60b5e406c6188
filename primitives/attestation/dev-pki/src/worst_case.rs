//! The most expensive material that a bounded verifier still accepts, for benchmarks.

use crate::{
	Case, Component, CrlOptions, Error, IsvTcbLevel, Limits, NOW, OUT_OF_DATE_ADVISORY,
	QE_ADVISORY, QuoteKind, Tcb, TcbInfo, TcbLevel, TcbStatus, case::Scenario,
	certificate::Authority, collateral::json, qe_identity::QeIdentity, tcb_info::TCB_DATE,
};
use serde::Serialize;

/// Dates of issue and next update, which are still empty when the fillers measure.
const DATES_LEN: usize = 2 * TCB_DATE.len();

/// Valid material that fills the limits:
///
/// - CRLs of both issuers with nothing but serial numbers of twenty bytes, none of them ours;
/// - TCB info with as many levels as fit; only the lowest matches, the others ask for one SVN more
///   in the last component compared;
/// - a QE identity with as many levels as fit, of which only the lowest matches;
/// - a PCK certificate with every field of the SGX extension, in a chain with its root;
/// - a quote with `auth_data_len` bytes of QE authentication data: 32 as Intel's, or more (which
///   dcap-qvl refuses), or more than the limit on quotes leaves room for, if the caller wants it.
///
/// The verdict is `OutOfDate` with two advisories.
pub fn worst_case(
	kind: QuoteKind,
	limits: &Limits,
	auth_data_len: u16,
	seed: u64,
) -> Result<Case, Error> {
	let mut s = Scenario::new(kind, seed);
	// Small numbers are short, and so there are more of them.
	s.platform.cpu_svn = [1; 16];
	s.platform.module.tee_tcb_svn[2..].fill(1);
	s.platform.module.tee_tcb_svn2 = s.platform.module.tee_tcb_svn;
	fill_tcb_info(&mut s.options.tcb_info, limits);
	fill_qe_identity(&mut s.options.qe_identity, limits);
	s.edit_enclave = |e| e.each(|qe| qe.isv_svn = 1);
	s.auth_data = Some(vec![0xAD; auth_data_len.into()]);
	s.options.pck_crl = fill_crl(s.pki.pck_ca(s.platform.ca), limits.crl)?;
	s.options.root_ca_crl = fill_crl(&s.pki.root, limits.crl)?;
	s.issue()
}

fn fill_tcb_info(info: &mut TcbInfo, limits: &Limits) {
	let tdx = info.tdx_module.is_some();
	let components = |last| {
		let mut components = vec![Component { svn: 1, ..Default::default() }; 16];
		components[15].svn = last;
		components
	};
	let level = |last| TcbLevel {
		tcb: Tcb {
			sgx_components: components(if tdx { 1 } else { last }),
			pce_svn: 1,
			tdx_components: tdx.then(|| {
				let mut components = components(last);
				// The module has an identity.
				components[..2].fill(Component::default());
				components
			}),
		},
		tcb_date: TCB_DATE.into(),
		tcb_status: TcbStatus::UpToDate,
		advisory_ids: vec![],
	};
	let lowest = TcbLevel {
		tcb_status: TcbStatus::OutOfDate,
		advisory_ids: vec![OUT_OF_DATE_ADVISORY.into()],
		..level(1)
	};
	info.tcb_levels = vec![lowest];
	let room = limits.json - json(info).len() - DATES_LEN;
	let above = fit(room, limits.levels, |i| level(255 - (i % 250) as u8));
	info.tcb_levels.splice(0..0, above);
}

fn fill_qe_identity(identity: &mut QeIdentity, limits: &Limits) {
	identity.tcb_levels =
		vec![IsvTcbLevel::new(1, TcbStatus::OutOfDate).advisories(&[QE_ADVISORY])];
	let room = limits.json - json(identity).len() - DATES_LEN;
	let above =
		fit(room, limits.levels, |i| IsvTcbLevel::new(2_000 - i as u16, TcbStatus::UpToDate));
	identity.tcb_levels.splice(0..0, above);
}

/// As many items as `room` bytes of JSON take with their commas, but fewer than `limit`.
fn fit<T: Serialize>(room: usize, limit: usize, item: impl Fn(usize) -> T) -> Vec<T> {
	let mut len = 0;
	(0..limit.saturating_sub(1))
		.map(item)
		.take_while(|item| {
			len += json(item).len() + 1;
			len <= room
		})
		.collect()
}

fn fill_crl(issuer: &Authority, limit: usize) -> Result<CrlOptions, Error> {
	let with = |count| CrlOptions {
		revoked: (0..count).map(unused_serial).collect(),
		..CrlOptions::default()
	};
	// All entries are equally long; a few too many are dropped again.
	let [hundred, two_hundred] = [with(100).issue(NOW, issuer)?, with(200).issue(NOW, issuer)?];
	let entry = (two_hundred.len() - hundred.len() - 2) / 100;
	let mut crl = with((limit / entry) as u64);
	while crl.issue(NOW, issuer)?.len() > limit {
		crl.revoked.pop();
	}
	Ok(crl)
}

/// A serial number of twenty bytes that no certificate of ours has.
pub(crate) fn unused_serial(index: u64) -> Vec<u8> {
	[&[0xEE; 12][..], &index.to_be_bytes()].concat()
}
