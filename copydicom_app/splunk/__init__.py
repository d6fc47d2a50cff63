"""The adapters to Splunk: the only place that imports splunklib."""
