"""Cards with buttons on the approvers' phones, in the flow that is decided here.

``facts`` reads what is true, ``plan`` says which cards there should be and at which stage, ``faces`` what each shows;
``settle`` makes the phones agree with it, with the calls of ``phone``. ``clicks`` takes in what people press,
``ending`` turns cards whose codes end.
"""
