//! Random platforms and collateral: the oracle concludes what the specification does.

mod common;

use common::oracle;
use phala_dev_pki::{
	Case, CollateralOptions, IsvTcbLevel, NOW, Pki, Platform, QuoteKind, QuoteRequest, Refusal,
	TcbLevel, TcbStatus, TdxModuleIdentity, Tee, Verdict, expected_verdict,
};
use proptest::{
	array::{uniform16, uniform32},
	collection::vec,
	prelude::*,
	sample::select,
};
use std::sync::LazyLock;

static PKI: LazyLock<Pki> = LazyLock::new(Pki::development);

/// SVNs of which two random ones are often comparable.
fn svns() -> impl Strategy<Value = [u8; 16]> {
	prop_oneof![
		1 => Just([0; 16]),
		2 => Just([2; 16]),
		// One differs.
		4 => (0..16usize, 0..4u8).prop_map(|(at, svn)| {
			let mut svns = [1; 16];
			svns[at] = svn;
			svns
		}),
		1 => uniform16(0..4u8),
		1 => uniform16(any::<u8>()),
	]
}

fn advisories() -> impl Strategy<Value = Vec<&'static str>> {
	vec(select(vec!["INTEL-SA-00001", "INTEL-SA-00002", "INTEL-SA-00003"]), 0..3).prop_map(
		|mut ids| {
			ids.sort();
			ids.dedup();
			ids
		},
	)
}

fn isv_levels(statuses: &'static [TcbStatus]) -> impl Strategy<Value = Vec<IsvTcbLevel>> {
	vec((0..4u16, select(statuses), advisories()), 1..4).prop_map(|levels| {
		levels
			.into_iter()
			.map(|(svn, status, ids)| IsvTcbLevel::new(svn, status).advisories(&ids))
			.collect()
	})
}

fn levels(tee: Tee) -> impl Strategy<Value = Vec<TcbLevel>> {
	let level = (svns(), 0..3u16, svns(), select(&TcbStatus::OF_PLATFORM[..]), advisories());
	vec(level, 1..6).prop_map(move |levels| {
		levels
			.into_iter()
			.map(|(cpu, pce, tdx, status, ids)| {
				TcbLevel::new(&cpu, pce, (tee == Tee::Tdx).then_some(&tdx), status, &ids)
			})
			.collect()
	})
}

/// SVNs that often meet a level.
fn platform_svns() -> impl Strategy<Value = [u8; 16]> {
	prop_oneof![2 => Just([2; 16]), 1 => svns()]
}

/// SVNs of a TDX module whose version is often known.
fn tee_tcb_svn() -> impl Strategy<Value = [u8; 16]> {
	(platform_svns(), 0..4u8, select(vec![0, 1, 1, 3, 3, 2])).prop_map(
		|(mut svns, isv_svn, version)| {
			svns[..2].copy_from_slice(&[isv_svn, version]);
			svns
		},
	)
}

#[derive(Clone, Debug)]
struct World {
	kind: QuoteKind,
	platform: Platform,
	qe_isv_svn: u16,
	options: CollateralOptions,
}

fn world() -> impl Strategy<Value = World> {
	(select(QuoteKind::ALL), any::<u64>()).prop_flat_map(|(kind, index)| {
		let modules = vec(isv_levels(&TcbStatus::OF_MODULE), 2);
		(
			(platform_svns(), 0..4u16, tee_tcb_svn(), tee_tcb_svn(), 0..4u16),
			(levels(kind.tee()), modules, isv_levels(&TcbStatus::OF_QE)),
		)
			.prop_map(move |(have, (levels, modules, qe_levels))| {
				let (cpu_svn, pce_svn, tee_tcb_svn, tee_tcb_svn2, qe_isv_svn) = have;
				let mut platform = Platform { cpu_svn, pce_svn, ..Platform::development(index) };
				platform.module.tee_tcb_svn = tee_tcb_svn;
				platform.module.tee_tcb_svn2 = tee_tcb_svn2;
				let mut options = CollateralOptions::for_platform(&platform, kind.tee());
				options.tcb_info.tcb_levels = levels;
				options.qe_identity.tcb_levels = qe_levels;
				if let Some(identities) = &mut options.tcb_info.tdx_module_identities {
					*identities = [3, 1]
						.into_iter()
						.zip(modules)
						.map(|(version, levels)| TdxModuleIdentity::new(version, levels))
						.collect();
				}
				World { kind, platform, qe_isv_svn, options }
			})
	})
}

impl World {
	fn case(&self) -> Case {
		let mut enclave = PKI.quoting_enclave(&self.platform).unwrap();
		enclave.qe.isv_svn = self.qe_isv_svn;
		enclave.td_qe.isv_svn = self.qe_isv_svn;
		Case {
			quote: enclave.quote(&QuoteRequest::new(self.kind, [1; 64])),
			collateral: PKI.issue_collateral(NOW, &self.options).unwrap(),
			root_der: PKI.root_der().unwrap(),
			now: NOW,
			stored: None,
		}
	}

	fn expected(&self) -> Result<Verdict, Refusal> {
		expected_verdict(self.kind, &self.platform, self.qe_isv_svn, &self.options)
	}
}

fn message(refusal: Refusal) -> &'static str {
	match refusal {
		Refusal::Qe => "is below minimum required",
		Refusal::Platform => "No matching TCB level found",
		Refusal::UnknownModule => "No TDX module identity",
		Refusal::Module => "is below minimum required from TDX module",
		Refusal::Revoked => "TCB status is invalid: Revoked",
	}
}

proptest! {
	#![proptest_config(ProptestConfig { cases: 800, ..Default::default() })]

	#[test]
	fn the_oracle_agrees_with_the_specification(world in world()) {
		match (oracle(&world.case()), world.expected()) {
			(Ok(verdict), Ok(expected)) => prop_assert_eq!(verdict, expected),
			(Err(error), Err(refusal)) => {
				prop_assert!(error.contains(message(refusal)), "{} for {}", error, refusal);
			},
			(verdict, expected) => prop_assert!(false, "{verdict:?} instead of {expected:?}"),
		}
	}
}

/// The strategy above is worth something only if it reaches every conclusion.
#[test]
fn random_worlds_reach_every_conclusion() {
	use proptest::{strategy::ValueTree, test_runner::TestRunner};
	let mut runner = TestRunner::deterministic();
	let mut seen = std::collections::HashSet::new();
	for _ in 0..3_000 {
		let world = world().new_tree(&mut runner).unwrap().current();
		seen.insert(match world.expected() {
			Ok(verdict) => verdict.status.to_string(),
			Err(refusal) => format!("{refusal:?}"),
		});
	}
	// Eight statuses (all but Revoked) and five refusals.
	assert_eq!(seen.len(), 13, "{seen:?}");
}

proptest! {
	#![proptest_config(ProptestConfig { cases: 64, ..Default::default() })]

	/// What is asked for arrives in the fields where Intel's layout has it.
	#[test]
	fn quotes_carry_what_was_asked_for(
		kind in select(QuoteKind::ALL),
		index: u64,
		report_data in vec(any::<u8>(), 64),
		short in vec(uniform32(any::<u8>()), 4),
		long in vec(vec(any::<u8>(), 48), 10),
		numbers in any::<(u16, u16, u32, u64, u64)>(),
		attributes: [u8; 16],
	) {
		let platform = Platform::development(index);
		let mut request = QuoteRequest::new(kind, report_data.try_into().unwrap());
		let register = |i: usize| <[u8; 48]>::try_from(&long[i][..]).unwrap();
		let enclave = &mut request.enclave;
		(enclave.mr_enclave, enclave.mr_signer) = (short[0], short[1]);
		(enclave.isv_prod_id, enclave.isv_svn, enclave.misc_select) =
			(numbers.0, numbers.1, numbers.2);
		enclave.attributes = attributes;
		let domain = &mut request.domain;
		(domain.attributes, domain.xfam) = (numbers.3, numbers.4);
		domain.mr_td = register(0);
		domain.mr_config_id = register(1);
		domain.mr_owner = register(2);
		domain.mr_owner_config = register(3);
		domain.rt_mr = [4, 5, 6, 7].map(register);
		domain.mr_service_td = register(8);
		domain.td_id = short[2];

		let raw = PKI.quoting_enclave(&platform).unwrap().quote(&request);
		let quote = dcap_qvl::quote::Quote::parse(&raw).unwrap();
		prop_assert_eq!(codec::Encode::encode(&quote), raw);
		if let Some(report) = quote.report.as_sgx() {
			let asked = &request.enclave;
			prop_assert_eq!(report.cpu_svn, platform.cpu_svn);
			prop_assert_eq!(report.mr_enclave, asked.mr_enclave);
			prop_assert_eq!(report.mr_signer, asked.mr_signer);
			prop_assert_eq!(report.isv_prod_id, asked.isv_prod_id);
			prop_assert_eq!(report.isv_svn, asked.isv_svn);
			prop_assert_eq!(report.misc_select, asked.misc_select);
			prop_assert_eq!(report.attributes, asked.attributes);
			prop_assert_eq!(report.report_data, request.report_data);
		} else {
			let (report, asked) = (quote.report.as_td10().unwrap(), &request.domain);
			prop_assert_eq!(report.tee_tcb_svn, platform.module.tee_tcb_svn);
			prop_assert_eq!(report.mr_seam, platform.module.mr_seam);
			prop_assert_eq!(report.td_attributes, asked.attributes.to_le_bytes());
			prop_assert_eq!(report.xfam, asked.xfam.to_le_bytes());
			prop_assert_eq!(report.mr_td, asked.mr_td);
			prop_assert_eq!(report.mr_config_id, asked.mr_config_id);
			prop_assert_eq!(report.mr_owner, asked.mr_owner);
			prop_assert_eq!(report.mr_owner_config, asked.mr_owner_config);
			let registers = [report.rt_mr0, report.rt_mr1, report.rt_mr2, report.rt_mr3];
			prop_assert_eq!(registers, asked.rt_mr);
			prop_assert_eq!(report.report_data, request.report_data);
		}
		if let Some(report) = quote.report.as_td15() {
			prop_assert_eq!(report.tee_tcb_svn2, platform.module.tee_tcb_svn2);
			prop_assert_eq!(report.mr_service_td, request.domain.mr_service_td);
		}
		if let Some(report) = quote.report.as_td15_ex() {
			prop_assert_eq!(report.td_id, request.domain.td_id);
		}
		prop_assert_eq!(quote.report.is_sgx(), kind == QuoteKind::SgxV3);
		prop_assert_eq!(quote.report.as_td15().is_some(), kind.has_current_tcb());
	}
}
