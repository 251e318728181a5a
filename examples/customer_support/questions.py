"""What customers ask: topic -> case name -> question."""

from __future__ import annotations

QUESTIONS = {
    "account": {
        "reset-password": "How do I reset my password?",
        "change-email": "How can I change my email address?",
        "delete-account": "Please delete my account.",
        "cannot-log-in": "I cannot log in any more, what now?",
        "new-username": "Can I pick another username?",
        "edit-profile": "Where do I edit my profile?",
        "stop-newsletter": "How do I stop the newsletter?",
    },
    "billing": {
        "refund": "Can I get a refund for my order?",
        "invoice-copy": "Where is the invoice for my order?",
        "charged-twice": "Why was I charged twice?",
        "new-card": "My card expired, how do I add a new one?",
        "pay-later": "May I pay after 30 days?",
        "payment-failed": "My payment failed, is the order lost?",
        "voucher": "Where do I enter a voucher?",
        "instalments": "Do you offer instalments?",
    },
    "business_info": {
        "business-hours": "What are your business hours?",
        "open-sunday": "Are you open on Sunday?",
        "phone-number": "What is your phone number?",
        "located": "Where are you located?",
        "showroom": "Can I visit a showroom?",
        "company-age": "How old is your company?",
        "closed-holidays": "Are you closed at Easter?",
    },
    "product": {
        "made-of": "What is the table made of?",
        "real-oak": "Is it real oak?",
        "clean-sofa": "How do I clean the sofa?",
        "assemble": "Do I have to assemble the bed?",
        "warranty": "How long is the warranty?",
        "how-wide": "How wide is the shelf?",
    },
    "returns": {
        "return-lamp": "I want to return a lamp.",
        "send-back": "How do I send the chair back?",
        "exchange": "Can I exchange it for the blue one?",
        "damaged": "The table came damaged.",
        "wrong-item": "You sent me the wrong shelf.",
        "changed-mind": "I changed my mind, what can I do?",
    },
    "shipping": {
        "when-delivered": "When will my sofa be delivered?",
        "delivery-cost": "What does delivery cost?",
        "ship-abroad": "Do you ship to Norway?",
        "arrive-today": "Will it arrive today?",
        "track-parcel": "How do I track my parcel?",
        "deliver-upstairs": "Do you deliver to the fifth floor?",
    },
}
