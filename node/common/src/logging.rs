//! Logs on standard error: text for people, or one JSON object per line for machines.

use serde_json::{Map, Value, json};
use std::fmt;
use tracing::{
	Event, Subscriber,
	field::{Field, Visit},
};
use tracing_subscriber::{
	EnvFilter,
	fmt::{
		FmtContext, FormatEvent, FormatFields,
		format::Writer,
		time::{FormatTime, SystemTime},
	},
	registry::LookupSpan,
};

/// How logs look.
#[derive(
	Clone,
	Copy,
	Debug,
	Default,
	PartialEq,
	Eq,
	clap::ValueEnum,
	serde::Serialize,
	serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum LogFormat {
	/// For people.
	#[default]
	Text,
	/// One JSON object per line.
	Json,
}

/// Starts logging. `filter` is in the syntax of `RUST_LOG` (`info`, `phala_worker=debug`, …).
pub fn init(format: LogFormat, filter: &str) -> Result<(), String> {
	let filter = EnvFilter::try_new(filter)
		.map_err(|error| format!("log filter `{filter}`: {error}; use for example `info`"))?;
	let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
	match format {
		LogFormat::Text => builder.try_init(),
		LogFormat::Json => builder.event_format(JsonLines).try_init(),
	}
	.map_err(|error| error.to_string())
}

/// An event as an object: `time` (RFC 3339 in UTC), `level`, `target`, `message`, and its fields.
struct JsonLines;

impl<S, N> FormatEvent<S, N> for JsonLines
where
	S: Subscriber + for<'a> LookupSpan<'a>,
	N: for<'a> FormatFields<'a> + 'static,
{
	fn format_event(
		&self,
		_: &FmtContext<'_, S, N>,
		mut writer: Writer<'_>,
		event: &Event<'_>,
	) -> fmt::Result {
		let mut object = Object::default();
		object.set("time", json!(now()));
		object.set("level", json!(event.metadata().level().as_str()));
		object.set("target", json!(event.metadata().target()));
		event.record(&mut object);
		writeln!(writer, "{}", Value::Object(object.0))
	}
}

fn now() -> String {
	let mut text = String::new();
	// Writing to a string cannot fail.
	let _ = SystemTime.format_time(&mut Writer::new(&mut text));
	text
}

#[derive(Default)]
struct Object(Map<String, Value>);

impl Object {
	fn set(&mut self, key: &str, value: Value) {
		self.0.insert(key.into(), value);
	}
}

impl Visit for Object {
	fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
		self.set(field.name(), json!(format!("{value:?}")));
	}
	fn record_str(&mut self, field: &Field, value: &str) {
		self.set(field.name(), json!(value));
	}
	fn record_u64(&mut self, field: &Field, value: u64) {
		self.set(field.name(), json!(value));
	}
	fn record_i64(&mut self, field: &Field, value: i64) {
		self.set(field.name(), json!(value));
	}
	fn record_bool(&mut self, field: &Field, value: bool) {
		self.set(field.name(), json!(value));
	}
	fn record_f64(&mut self, field: &Field, value: f64) {
		self.set(field.name(), json!(value));
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use std::{
		io,
		sync::{Arc, Mutex},
	};

	#[derive(Clone, Default)]
	struct Buffer(Arc<Mutex<Vec<u8>>>);

	impl io::Write for Buffer {
		fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
			self.0.lock().unwrap().write(bytes)
		}
		fn flush(&mut self) -> io::Result<()> {
			Ok(())
		}
	}

	#[test]
	fn a_json_line_keeps_types_and_escapes_text() {
		let buffer = Buffer::default();
		let writer = buffer.clone();
		let subscriber = tracing_subscriber::fmt()
			.event_format(JsonLines)
			.with_writer(move || writer.clone())
			.finish();
		tracing::subscriber::with_default(subscriber, || {
			tracing::warn!(block = 7u64, final_ = true, name = "a\"\n", "line one\nline two");
			tracing::info!(error = %"gone", "second");
		});
		let text = String::from_utf8(buffer.0.lock().unwrap().clone()).unwrap();
		let lines: Vec<Value> =
			text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
		assert_eq!(lines.len(), 2);
		assert_eq!(lines[0]["level"], "WARN");
		assert_eq!(lines[0]["message"], "line one\nline two");
		assert_eq!((&lines[0]["block"], &lines[0]["final_"]), (&json!(7), &json!(true)));
		assert_eq!(lines[0]["name"], "a\"\n");
		assert_eq!(lines[1]["error"], "gone");
		assert!(lines[0]["time"].as_str().unwrap().ends_with('Z'));
	}

	#[test]
	fn a_wrong_filter_is_named() {
		assert!(init(LogFormat::Text, "phala=loud").unwrap_err().contains("phala=loud"));
	}
}
