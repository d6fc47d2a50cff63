"""What a demo, a test and a benchmark run on. Never shipped in the app; needs Python 3.11."""
