"""What happens at ticks: measuring, showing, saving, and watching for faults."""
