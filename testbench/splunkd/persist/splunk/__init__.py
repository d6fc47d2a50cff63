"""Splunk's own package `splunk` as a persistent REST handler finds it; only what such a handler imports."""
