"""PostgreSQL: pool, named SQL, migrations, and the time-series editions. Only this package and the owners
of a `.sql` file know SQL."""
