//! Prometheus metrics over HTTP.

use std::net::SocketAddr;
pub use substrate_prometheus_endpoint::{
	self as prometheus, Counter, CounterVec, F64, Gauge, GaugeVec, Histogram, HistogramOpts, Opts,
	PrometheusError, Registry, U64, register,
};

/// Serves `/metrics` until the program ends. Fails if the port is taken.
pub async fn serve(address: SocketAddr, registry: Registry) -> Result<(), String> {
	// Bound here first: the server reports a taken port only inside its task.
	let probe = tokio::net::TcpListener::bind(address).await;
	drop(probe.map_err(|error| {
		format!("cannot serve metrics on {address}: {error}; choose another --metrics-address")
	})?);
	tokio::spawn(async move {
		if let Err(error) = prometheus::init_prometheus(address, registry).await {
			tracing::error!(%error, "metrics are not served any more");
		}
	});
	Ok(())
}

/// A gauge of whole numbers.
pub fn gauge(registry: &Registry, name: &str, help: &str) -> Result<Gauge<U64>, PrometheusError> {
	register(Gauge::new(name, help)?, registry)
}

/// A gauge of numbers with a fraction.
pub fn fraction(
	registry: &Registry,
	name: &str,
	help: &str,
) -> Result<Gauge<F64>, PrometheusError> {
	register(Gauge::new(name, help)?, registry)
}

/// Gauges that differ in labels.
pub fn gauges(
	registry: &Registry,
	name: &str,
	help: &str,
	labels: &[&str],
) -> Result<GaugeVec<U64>, PrometheusError> {
	register(GaugeVec::new(Opts::new(name, help), labels)?, registry)
}

/// Counters that differ in labels.
pub fn counters(
	registry: &Registry,
	name: &str,
	help: &str,
	labels: &[&str],
) -> Result<CounterVec<U64>, PrometheusError> {
	register(CounterVec::new(Opts::new(name, help), labels)?, registry)
}

#[cfg(test)]
mod tests {
	use super::*;
	use tokio::{
		io::{AsyncReadExt, AsyncWriteExt},
		net::{TcpListener, TcpStream},
	};

	#[tokio::test]
	async fn metrics_are_served_and_a_taken_port_is_named() {
		let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
		let address = taken.local_addr().unwrap();
		let registry = Registry::new();
		gauge(&registry, "phala_test", "A test").unwrap().set(7);
		let error = serve(address, registry.clone()).await.unwrap_err();
		assert!(error.contains(&address.to_string()), "{error}");

		drop(taken);
		serve(address, registry).await.unwrap();
		let mut answer = String::new();
		for _ in 0..100 {
			tokio::time::sleep(std::time::Duration::from_millis(20)).await;
			let Ok(mut stream) = TcpStream::connect(address).await else { continue };
			let request = "GET /metrics HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
			stream.write_all(request.as_bytes()).await.unwrap();
			stream.read_to_string(&mut answer).await.unwrap();
			break;
		}
		assert!(answer.contains("\nphala_test 7\n"), "{answer}");
	}
}
