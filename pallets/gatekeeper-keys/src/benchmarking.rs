//! Worst cases of the calls and steps.

use phala_primitives::{ClusterId, WorkerKey};

/// Sets the stage in a runtime.
pub trait BenchmarkHelper<AccountId> {
	/// Lets `worker` be attested as a gatekeeper on a machine of its own; the account that its stake
	/// is of, and whose slash costs most. Another one for each `seed`.
	fn gatekeeper(seed: u32, worker: WorkerKey) -> AccountId;

	/// Lets `worker` be attested as a worker and a member of `cluster`.
	fn worker(cluster: ClusterId, worker: WorkerKey);
}
