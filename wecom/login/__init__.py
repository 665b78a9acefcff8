"""Log in with WeCom (docs 91022, 98151): WeCom says which member somebody is, the link to a staff user says who that
is here."""
