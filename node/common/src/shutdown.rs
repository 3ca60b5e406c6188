//! Graceful shutdown.

use tokio::sync::watch;

/// Tells every task that the program shall end. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Shutdown(watch::Receiver<bool>);

/// Asks for the end. Dropping it asks too.
#[derive(Debug)]
pub struct Trigger(watch::Sender<bool>);

impl Trigger {
	/// Asks for the end.
	pub fn ask(&self) {
		self.0.send_replace(true);
	}
}

/// A pair of which the first asks and the second is told.
pub fn pair() -> (Trigger, Shutdown) {
	let (asking, told) = watch::channel(false);
	(Trigger(asking), Shutdown(told))
}

impl Shutdown {
	/// Is told by SIGTERM (service managers) and SIGINT (Ctrl-C). A second signal ends the process
	/// at once.
	pub fn on_signals() -> std::io::Result<Self> {
		use tokio::signal::unix::{SignalKind, signal};
		let (mut term, mut int) =
			(signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
		let (trigger, shutdown) = pair();
		tokio::spawn(async move {
			for attempt in 0.. {
				let name = tokio::select! {
					_ = term.recv() => "SIGTERM",
					_ = int.recv() => "SIGINT",
				};
				if attempt > 0 {
					tracing::warn!(signal = name, "ending at once");
					std::process::exit(130);
				}
				tracing::info!(signal = name, "shutting down");
				trigger.ask();
			}
		});
		Ok(shutdown)
	}

	/// Whether the program shall end.
	pub fn asked(&self) -> bool {
		*self.0.borrow() || self.0.has_changed().is_err()
	}

	/// Returns when the program shall end.
	pub async fn wait(&self) {
		// An error means that nobody can ask any more.
		let _ = self.0.clone().wait_for(|asked| *asked).await;
	}

	/// The output of `work`, or `None` if the program shall end first.
	pub async fn or<T>(&self, work: impl Future<Output = T>) -> Option<T> {
		tokio::select! {
			biased;
			() = self.wait() => None,
			output = work => Some(output),
		}
	}

	/// Sleeps; false if the program shall end.
	pub async fn sleep(&self, duration: std::time::Duration) -> bool {
		self.or(tokio::time::sleep(duration)).await.is_some()
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use std::time::Duration;

	#[tokio::test]
	async fn work_ends_when_asked() {
		let (trigger, shutdown) = pair();
		assert_eq!(shutdown.or(async { 7 }).await, Some(7));
		assert!(shutdown.sleep(Duration::from_millis(1)).await && !shutdown.asked());
		let sleeper = shutdown.clone();
		let sleep = tokio::spawn(async move { sleeper.sleep(Duration::from_secs(3600)).await });
		trigger.ask();
		assert!(!sleep.await.unwrap());
		assert!(shutdown.asked());
		assert_eq!(shutdown.or(async { 7 }).await, None);
	}

	#[tokio::test]
	async fn a_lost_trigger_asks_too() {
		let (trigger, shutdown) = pair();
		drop(trigger);
		assert!(shutdown.asked());
		shutdown.wait().await;
	}
}
