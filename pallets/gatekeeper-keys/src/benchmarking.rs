//! b
/// b
pub trait BenchmarkHelper<A> {
	/// b
	fn a() -> A;
}
