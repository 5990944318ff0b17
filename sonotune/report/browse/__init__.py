"""The browser pages: a study to click through, as a folder of files that needs no server."""
