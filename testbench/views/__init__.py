"""The app's dashboards in a browser: Splunk's own components over the stand-in for splunkd.

`definitions` reads the views, `server` shows them at a local address, `browser` opens them and reports what
was seen. The page itself is in `page/`, bundled by `build.mjs` from npm packages; nothing of it is shipped.
"""
