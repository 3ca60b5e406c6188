//! Random platforms under random TCB levels: the verdict is the oracle's.

mod common;

use common::{Verdict, oracle_case, verdict, verify_case};
use phala_attestation::Error;
use phala_dev_pki::{
	Case, CollateralOptions, IsvTcbLevel, NOW, Pki, Platform, QuoteKind, QuoteRequest, TcbLevel,
	TcbStatus, TdxModuleIdentity, Tee,
};
use proptest::{collection::vec, prelude::*, sample::select};
use std::sync::LazyLock;

static PKI: LazyLock<Pki> = LazyLock::new(Pki::development);

/// Sixteen ones, with a few components changed: two of these are often comparable.
fn svns() -> impl Strategy<Value = [u8; 16]> {
	vec((0..16usize, 0..4u8), 0..4).prop_map(|changes| {
		let mut svns = [1; 16];
		changes.into_iter().for_each(|(at, svn)| svns[at] = svn);
		svns
	})
}

/// As [`svns`], but mostly above them.
fn platform_svns() -> impl Strategy<Value = [u8; 16]> {
	prop_oneof![3 => Just([3; 16]), 2 => Just([2; 16]), 2 => svns()]
}

/// SVNs of a TDX module: its ISVSVN, its version, others.
fn tee_tcb_svn() -> impl Strategy<Value = [u8; 16]> {
	(platform_svns(), 0..4u8, select(vec![0u8, 1, 1, 1, 3, 3, 9])).prop_map(
		|(mut svns, isv_svn, version)| {
			svns[..2].copy_from_slice(&[isv_svn, version]);
			svns
		},
	)
}

fn advisories() -> impl Strategy<Value = Vec<&'static str>> {
	vec(select(vec!["INTEL-SA-00001", "INTEL-SA-00022", "INTEL-SA-00333"]), 0..3)
}

fn isv_levels(statuses: &'static [TcbStatus]) -> impl Strategy<Value = Vec<IsvTcbLevel>> {
	vec((0..4u16, select(statuses), advisories()), 1..4).prop_map(|levels| {
		let level =
			|(svn, status, ids): (_, _, Vec<_>)| IsvTcbLevel::new(svn, status).advisories(&ids);
		levels.into_iter().map(level).collect()
	})
}

fn levels(tee: Tee) -> impl Strategy<Value = Vec<TcbLevel>> {
	let level = (svns(), 0..3u16, svns(), select(&TcbStatus::OF_PLATFORM[..]), advisories());
	vec(level, 1..6).prop_map(move |levels| {
		let level = |(cpu, pce, tdx, status, ids): ([u8; 16], _, [u8; 16], _, Vec<_>)| {
			TcbLevel::new(&cpu, pce, (tee == Tee::Tdx).then_some(&tdx), status, &ids)
		};
		levels.into_iter().map(level).collect()
	})
}

prop_compose! {
	fn any_case()(kind in select(QuoteKind::ALL))(
		kind in Just(kind),
		cpu_svn in platform_svns(),
		pce_svn in 0..4u16,
		tee_tcb_svn in tee_tcb_svn(),
		// Mostly no update of the module.
		tee_tcb_svn2 in proptest::option::of(tee_tcb_svn()),
		qe_isv_svn in 0..4u16,
		levels in levels(kind.tee()),
		modules in vec(isv_levels(&TcbStatus::OF_MODULE), 2),
		qe_levels in isv_levels(&TcbStatus::OF_QE),
	) -> (Case, bool) {
		// Two statuses of which the oracle makes less.
		let qe_lacks_both = qe_levels
			.iter()
			.any(|level| level.tcb_status == TcbStatus::OutOfDateConfigurationNeeded);
		let may_differ = qe_lacks_both || tee_tcb_svn2.is_some();
		let mut platform = Platform { cpu_svn, pce_svn, ..Platform::development(1) };
		platform.module.tee_tcb_svn = tee_tcb_svn;
		platform.module.tee_tcb_svn2 = tee_tcb_svn2.unwrap_or(tee_tcb_svn);
		let mut options = CollateralOptions::for_platform(&platform, kind.tee());
		options.tcb_info.tcb_levels = levels;
		options.qe_identity.tcb_levels = qe_levels;
		if let Some(identities) = &mut options.tcb_info.tdx_module_identities {
			let modules = [1, 3].into_iter().zip(modules);
			*identities = modules.map(|(id, levels)| TdxModuleIdentity::new(id, levels)).collect();
		}
		let mut enclave = PKI.quoting_enclave(&platform).expect("a platform");
		(enclave.qe.isv_svn, enclave.td_qe.isv_svn) = (qe_isv_svn, qe_isv_svn);
		let case = Case {
			quote: enclave.quote(&QuoteRequest::new(kind, [1; 64])),
			collateral: PKI.issue_collateral(NOW, &options).expect("options"),
			root_der: PKI.root_der().expect("a root"),
			now: NOW,
			stored: None,
		};
		(case, may_differ)
	}
}

/// Whether ours says that the platform is out of date, and the oracle's, otherwise the same, does not.
fn is_stricter(ours: &Verdict, theirs: &Verdict) -> bool {
	ours.0.starts_with("OutOfDate")
		&& !theirs.0.starts_with("OutOfDate")
		&& theirs.1.iter().all(|id| ours.1.contains(id))
}

proptest! {
	#![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..Default::default() })]

	#[test]
	fn verdicts_are_those_of_the_oracle((case, may_differ) in any_case()) {
		let ours = verify_case(&case).map(|verified| verdict(&verified));
		let theirs = oracle_case(&case);
		match (&ours, &theirs) {
			(Ok(ours), Ok(theirs)) if may_differ && is_stricter(ours, theirs) => {},
			(Ok(ours), Ok(theirs)) => prop_assert_eq!(ours, theirs),
			(Err(_), Err(_)) => {},
			_ => prop_assert!(false, "{:?}, the oracle: {:?}", ours, theirs),
		}
	}
}

prop_compose! {
	/// A few bits of the flags of report and quoting enclave differ from the usual ones.
	fn any_flags()(
		kind in select(QuoteKind::ALL),
		attributes in vec(0..64u32, 0..3),
		seam in proptest::option::weighted(0.1, 0..64u32),
		qe in proptest::option::weighted(0.3, (0..128usize).prop_filter("INIT", |bit| *bit != 0)),
		misc_select in proptest::option::weighted(0.1, 0..32u32),
		debug in proptest::bool::weighted(0.1),
	) -> (Case, u64) {
		let mut platform = Platform::development(1);
		if let Some(bit) = seam {
			platform.module.seam_attributes[bit as usize / 8] ^= 1 << (bit % 8);
		}
		let mut request = QuoteRequest::new(kind, [1; 64]).debug(debug);
		attributes.into_iter().for_each(|bit| request.domain.attributes ^= 1 << bit);
		let attributes = request.domain.attributes;
		let mut enclave = PKI.quoting_enclave(&platform).expect("a platform");
		for enclave in [&mut enclave.qe, &mut enclave.td_qe] {
			if let Some(bit) = qe {
				enclave.attributes[bit / 8] ^= 1 << (bit % 8);
			}
			if let Some(bit) = misc_select {
				enclave.misc_select ^= 1 << bit;
			}
		}
		let options = CollateralOptions::for_platform(&platform, kind.tee());
		let case = Case {
			quote: enclave.quote(&request),
			collateral: PKI.issue_collateral(NOW, &options).expect("options"),
			root_der: PKI.root_der().expect("a root"),
			now: NOW,
			stored: None,
		};
		(case, attributes)
	}
}

proptest! {
	#![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..Default::default() })]

	#[test]
	fn flags_are_judged_as_by_the_oracle((case, attributes) in any_flags()) {
		let ours = verify_case(&case).map(|verified| verdict(&verified));
		let theirs = oracle_case(&case);
		match (&ours, &theirs) {
			(Ok(ours), Ok(theirs)) => prop_assert_eq!(ours, theirs),
			(Err(_), Err(_)) => {},
			// The oracle allows them.
			(Err(Error::TdProtectionKeys | Error::TdKeyLocker), Ok(_)) => {
				prop_assert!(attributes & (3 << 30) != 0);
			},
			// ICSSD, 18 to 22, TPA.
			(Err(Error::TdReservedAttributes), Ok(_)) => {
				prop_assert!(attributes & (1 << 16 | 0x1F << 18 | 1 << 62) != 0);
			},
			_ => prop_assert!(false, "{attributes:#x}: {ours:?}, the oracle: {theirs:?}"),
		}
	}
}
