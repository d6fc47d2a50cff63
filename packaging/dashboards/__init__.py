"""The dashboards of the app, as Dashboard Studio definitions.

`studio` knows the format, `palette` the colours, `panels` the kinds of panel, `inputs` the inputs that the
views share, `drilldowns` where a click leads. Each view is a module of its own with a function `view()`; the
order of `VIEWS` is that of the navigation. `packaging/write_views.py` writes `default/data/ui`.
"""

from __future__ import annotations

from dashboards import (
    data_quality,
    dose_by_protocol,
    fluoroscopy,
    health,
    mammography,
    outliers,
    overview,
    radiography,
    replication,
    study,
    utilization,
)

MODULES = (
    overview,
    dose_by_protocol,
    fluoroscopy,
    mammography,
    radiography,
    outliers,
    data_quality,
    utilization,
    replication,
    health,
    study,
)
